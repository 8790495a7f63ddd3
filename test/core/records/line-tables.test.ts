import { RecordFormatError } from '../../../core/records/record-errors';
import { parseRecords } from '../../support/record-files';

const merged = (path: string, text: string, changes: Record<string, string | undefined>): string => {
  const bytes = Object.entries(changes).map(([key, body]) => [key, body && Buffer.from(body)] as const);
  return Buffer.from(
    parseRecords(path, Buffer.from(text)).merge(new Map(bytes as [string, Buffer][])),
  ).toString();
};

describe('tables of lines', () => {
  it.each([
    ['/var/lib/dpkg/triggers/File', '/usr/share/icons/x theme', '/usr/share/icons/x theme/noawait'],
    ['/var/lib/dpkg/triggers/ldconfig', 'libc-bin', 'libc-bin/noawait'],
    ['/var/lib/dpkg/statoverride', '/usr/bin/x', 'root games 2755 /usr/bin/x'],
    ['/var/lib/ucf/hashfile', '/etc/x', 'e6fd6e8e29210c5678181f33177d5433  /etc/x'],
    ['/var/lib/ucf/registry', '/etc/x', 'package \t /etc/x'],
    ['/etc/shells', '/bin/zsh', '/bin/zsh'],
  ])('%s takes and loses a line', (path, key, line) => {
    expect([...parseRecords(path, Buffer.from(`${line}\n`)).records.keys()]).toEqual([key]);
    expect(merged(path, '', { [key]: line })).toBe(`${line}\n`);
    expect(merged(path, `${line}\n`, { [key]: undefined })).toBe('');
    expect(() => parseRecords(path, Buffer.from('what is this?\n'))).toThrow(RecordFormatError);
    expect(() => merged(path, '', { other: line })).toThrow(RecordFormatError);
  });

  it('keep the comments of shells', () => {
    const shells = '# /etc/shells: valid login shells\n/bin/sh\n\n/bin/bash\n';
    expect(merged('/etc/shells', shells, { '/bin/sh': undefined })).toBe(shells.replace('/bin/sh\n', ''));
    const { remainder } = parseRecords('/etc/shells', Buffer.from(shells));
    expect(Buffer.from(remainder).toString()).toBe('# /etc/shells: valid login shells\n\n');
  });
});

describe('diversions', () => {
  const path = '/var/lib/dpkg/diversions';
  const sh = '/bin/sh\n/bin/sh.distrib\ndash\n';

  it('are three lines each, known by the path that is diverted', () => {
    const ls = '/bin/ls\n/bin/ls.orig\n:';
    expect(merged(path, sh, { '/bin/ls': ls })).toBe(`${sh}${ls}\n`);
    expect(merged(path, `${ls}\n${sh}`, { '/bin/ls': undefined })).toBe(sh);
    expect(merged(path, sh, { '/bin/sh': sh.trim().replace('dash', 'bash') })).toBe(
      sh.replace('dash', 'bash'),
    );
  });

  it.each([['/bin/sh\n/bin/sh.distrib\n'], ['sh\nsh.distrib\ndash\n'], [sh + sh], ['/a\n/b\n\n']])(
    '%j are a plain file',
    (text) => {
      expect(() => parseRecords(path, Buffer.from(text))).toThrow(RecordFormatError);
    },
  );

  it('are not taken two at a time', () => {
    expect(() => merged(path, '', { '/bin/sh': `${sh}/a\n/b\nc` })).toThrow(RecordFormatError);
  });
});
