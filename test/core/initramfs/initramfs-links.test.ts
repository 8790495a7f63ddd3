import { initramfsContent } from '../../../core/initramfs/initramfs-content';

const FILE = 0o100_644;

interface Entry {
  readonly name: string;
  readonly content?: Buffer;
  readonly inode?: number;
  readonly links?: number;
}

/** An archive as `cpio -H newc` writes it. */
function archive(entries: readonly Entry[]): Buffer {
  const pieces: Buffer[] = [];
  for (const { name, content = Buffer.alloc(0), inode = 1, links = 1 } of [
    ...entries,
    { name: 'TRAILER!!!' },
  ]) {
    const fields = [inode, FILE, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
    pieces.push(Buffer.from(header), Buffer.alloc((4 - (header.length % 4)) % 4));
    pieces.push(content, Buffer.alloc((4 - (content.length % 4)) % 4));
  }
  return Buffer.concat(pieces);
}

const linked = (names: readonly string[], content: Buffer): Entry[] =>
  names.map((name, index) => ({
    name,
    inode: 7,
    links: names.length,
    ...(index === names.length - 1 && { content }),
  }));

describe('a file with several names in an initramfs', () => {
  const names = ['bin/busybox', 'bin/sh'];

  it('is the same whichever name has the content, and another one with other names or content', () => {
    const content = initramfsContent(archive(linked(names, Buffer.from('busy'))));
    expect(initramfsContent(archive(linked([...names].reverse(), Buffer.from('busy'))))).toEqual(content);
    for (const other of [
      linked([...names, 'bin/ash'], Buffer.from('busy')),
      linked(names, Buffer.from('lazy')),
      names.map((name) => ({ name, content: Buffer.from('busy') })),
    ])
      expect(initramfsContent(archive(other))).not.toEqual(content);
  });

  it('takes no longer for having very many', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `bin/applet-${index}`);
    const content = initramfsContent(archive(linked(many, Buffer.alloc(1_000_000))));
    expect(content.length).toBeLessThan(20_000 * 300);
  }, 5000);
});
