import { cpioArchive } from '../../../kernel-engine/build/cpio-archive';

const file = (path: string, text: string) =>
  ({ path, kind: 'file', content: Buffer.from(text), mode: 0o755 }) as const;

/** Members of an archive by name: the first field is what says the type and the mode. */
function namesOf(archive: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < archive.length;) {
    expect([at % 4, archive.toString('latin1', at, at + 6)]).toEqual([0, '070701']);
    const field = (index: number): number =>
      parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameLength = field(11);
    names.push(archive.toString('latin1', at + 110, at + 110 + nameLength - 1));
    at += Math.ceil((110 + nameLength) / 4) * 4 + Math.ceil(field(6) / 4) * 4;
  }
  return names;
}

describe('the archive of the first filesystem', () => {
  it('holds each directory before what is in it, in one order whatever order is given', () => {
    const entries = [file('usr/bin/b', 'bb'), file('usr/bin/a', 'a'), file('init', ''), file('usr/x', 'xyz')];
    const archive = cpioArchive(entries);
    expect(namesOf(archive)).toEqual([
      'init',
      'usr',
      'usr/bin',
      'usr/bin/a',
      'usr/bin/b',
      'usr/x',
      'TRAILER!!!',
    ]);
    expect(cpioArchive([...entries].reverse()).equals(archive)).toBe(true);
  });
});
