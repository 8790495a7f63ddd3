import { RecordConflictError, RecordFormatError } from '../../../core/records/record-errors';
import { codecFor } from '../../../core/records/registry';

function parse(path: string, text: string) {
  const codec = codecFor(path);
  if (!codec) throw new Error(`No codec for ${path}.`);
  return codec.parse(Buffer.from(text));
}

function merge(path: string, text: string, changes: Record<string, string | undefined>): string {
  const bytes = new Map(
    Object.entries(changes).map(([key, body]) => [key, body === undefined ? body : Buffer.from(body)]),
  );
  return Buffer.from(parse(path, text).merge(bytes)).toString();
}

const passwd = 'root:x:0:0:root:/root:/bin/bash\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n';

describe('account files', () => {
  it('put a new account at the end, and in front of what sends the lookup on to NIS', () => {
    const nginx = 'nginx:x:101:101::/nonexistent:/bin/false';
    expect(merge('/etc/passwd', passwd, { nginx })).toBe(`${passwd}${nginx}\n`);
    expect(merge('/etc/passwd', `${passwd}+@staff::::::\n+\n`, { nginx })).toBe(
      `${passwd}${nginx}\n+@staff::::::\n+\n`,
    );
  });

  it('complete a last line without its end only when something follows it', () => {
    const open = passwd.trimEnd();
    expect(merge('/etc/passwd', open, {})).toBe(open);
    expect(merge('/etc/passwd', open, { root: 'root:x:0:0::/root:/bin/sh' })).toBe(
      open.replace('0:0:root:/root:/bin/bash', '0:0::/root:/bin/sh'),
    );
    expect(merge('/etc/passwd', open, { a: 'a:x:7:7::/:/bin/sh' })).toBe(`${passwd}a:x:7:7::/:/bin/sh\n`);
  });

  it('keep comments, blank lines and carriage returns, and tell of what is no record', () => {
    const odd = '# local accounts\nroot:x:0:0:root:/root:/bin/sh\r\n\nada:x:1000:1000::/home/ada:/bin/sh\n';
    const file = parse('/etc/passwd', odd);
    expect(Buffer.from(file.merge(new Map())).toString()).toBe(odd);
    expect(Buffer.from(file.remainder).toString()).toBe('# local accounts\n\n');
    expect(merge('/etc/passwd', odd, { ada: undefined })).toBe(odd.replace(/ada.*\n/, ''));
  });

  it('change one group, its members with it, and leave its neighbours', () => {
    const group = 'adm:x:4:syslog\nwww-data:x:33:\nstaff:x:50:ada,bob\n';
    expect(merge('/etc/group', group, { 'www-data': 'www-data:x:33:deploy' })).toBe(
      group.replace('www-data:x:33:', 'www-data:x:33:deploy'),
    );
  });

  it.each([
    ['the same account twice', '/etc/passwd', passwd + passwd],
    ['too few fields', '/etc/passwd', 'root:x:0:0\n'],
    ['too many fields', '/etc/group', 'adm:x:4:a:b\n'],
    ['no name', '/etc/shadow', ':*:20000:0:99999:7:::\n'],
    ['a NUL byte', '/etc/passwd', 'root:x:0:0:\0:/root:/bin/sh\n'],
    ['what is no text', '/etc/group', '\x7fELF\x02\x01'],
  ])('are plain files when they have %s', (_, path, text) => {
    expect(() => parse(path, text)).toThrow(RecordFormatError);
  });

  it.each([
    ['another key', 'bob', 'eve:x:7:7::/:/bin/sh'],
    ['two lines', 'eve', 'eve:x:7:7::/:/bin/sh\nroot2:x:0:0::/:/bin/sh'],
    ['a line end', 'eve', 'eve:x:7:7::/:/bin/sh\n'],
    ['too few fields', 'eve', 'eve:x'],
    ['nothing', 'eve', ''],
  ])('refuse a record with %s', (_, key, body) => {
    expect(() => merge('/etc/passwd', passwd, { [key]: body })).toThrow(RecordFormatError);
  });
});

describe('numbers of accounts', () => {
  it('are not given to two', () => {
    expect(() => merge('/etc/passwd', passwd, { nginx: 'nginx:x:100:100::/:/bin/false' })).toThrow(
      expect.objectContaining({
        name: 'RecordConflictError',
        facts: expect.objectContaining({ otherKey: 'sshd' }),
      }),
    );
    expect(() => merge('/etc/group', 'adm:x:4:\n', { nginx: 'nginx:x:4:' })).toThrow(RecordConflictError);
    expect(() => merge('/etc/subuid', 'ada:100000:65536\n', { 'bob:165535': 'bob:165535:10' })).toThrow(
      RecordConflictError,
    );
  });

  it('may pass from one to the other, be shared where they were, and be zero', () => {
    expect(
      merge('/etc/passwd', passwd, { sshd: undefined, nginx: 'nginx:x:100:100::/:/bin/false' }),
    ).toContain('nginx:x:100:');
    const shared = `${passwd}sftp:x:100:65534::/:/bin/false\n`;
    expect(merge('/etc/passwd', shared, { sftp: 'sftp:x:100:65534::/srv:/bin/false' })).toContain('/srv');
    expect(merge('/etc/passwd', passwd, { toor: 'toor:x:0:0::/root:/bin/sh' })).toContain('toor');
    expect(merge('/etc/subuid', 'ada:100000:65536\n', { 'ada:150000': 'ada:150000:10' })).toContain(
      'ada:150000',
    );
  });

  it('of backups are no hindrance', () => {
    expect(merge('/etc/passwd-', passwd, { nginx: 'nginx:x:100:100::/:/bin/false' })).toContain('nginx');
  });
});
