import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initramfsContent, isInitramfs } from '../../../core/initramfs/initramfs-content';

/** Made by cpio and the compressors themselves, as mkinitramfs does it. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'initramfs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function shell(command: string): Buffer {
  return execFileSync('bash', ['-ec', `set -o pipefail; ${command}`], { cwd: folder, maxBuffer: 1 << 28 });
}

/** The same files made anew, at another time. */
function tree(name: string, hourOfChange: number): void {
  rmSync(join(folder, name), { recursive: true, force: true });
  mkdirSync(join(folder, name, 'usr/bin'), { recursive: true });
  mkdirSync(join(folder, name, 'conf'));
  writeFileSync(join(folder, name, 'usr/bin/busybox'), Buffer.alloc(300_000, 'busy box '), { mode: 0o755 });
  writeFileSync(join(folder, name, 'init'), '#!/bin/sh\nexec switch_root\n', { mode: 0o755 });
  writeFileSync(join(folder, name, 'conf/modules'), '');
  shell(`cd ${name} && ln usr/bin/busybox usr/bin/sh && ln -s usr/bin bin && mknod console c 5 1`);
  for (const path of ['init', 'usr/bin/busybox', 'conf']) {
    utimesSync(join(folder, name, path), hourOfChange * 3600, hourOfChange * 3600);
  }
}

function pack(name: string, compress: string, order = 'sort'): Buffer {
  return shell(`cd ${name} && find . | ${order} | cpio --quiet -R 0:0 -o -H newc | ${compress}`);
}

const compressors = [
  ['not at all', 'cat'],
  ['gzip', 'gzip -9'],
  ['zstd', 'zstd -q -19 -T0'],
  ['lz4', 'lz4 -9 -l -c'],
] as const;

describe('an initramfs', () => {
  it.each(compressors)('made anew on another machine is the same, packed %s', (_, compress) => {
    tree('a', 100);
    const first = pack('a', compress);
    tree('b', 200);
    const second = pack('b', compress, 'sort -r');
    expect(first.equals(second)).toBe(false);
    expect(Buffer.from(initramfsContent(second)).toString()).toBe(
      Buffer.from(initramfsContent(first)).toString(),
    );
    expect(initramfsContent(first).toString()).toContain('"usr/bin/sh"');
  });

  it('is the same whatever packs it, and another one with microcode in front', () => {
    tree('a', 100);
    const plain = initramfsContent(pack('a', 'cat')).toString();
    for (const [, compress] of compressors) {
      expect(initramfsContent(pack('a', compress)).toString()).toBe(plain);
    }
    mkdirSync(join(folder, 'early/kernel/x86/microcode'), { recursive: true });
    writeFileSync(join(folder, 'early/kernel/x86/microcode/GenuineIntel.bin'), Buffer.alloc(5000, 7));
    const early = pack('early', 'cat');
    const both = initramfsContent(Buffer.concat([early, pack('a', 'zstd -q')])).toString();
    expect(both).not.toBe(plain);
    expect(both).toContain('GenuineIntel.bin');
    expect(both.split('\n').filter((line) => line.startsWith('1 '))).toHaveLength(
      plain.split('\n').length - 1,
    );
  });

  it.each([
    [
      'a file of other content',
      (name: string) => writeFileSync(join(folder, name, 'conf/modules'), 'ext4\n'),
    ],
    ['one file more', (name: string) => writeFileSync(join(folder, name, 'conf/resume'), 'RESUME=UUID=1\n')],
    ['another mode', (name: string) => shell(`chmod 700 ${name}/init`)],
    ['another target', (name: string) => shell(`ln -sfn sbin ${name}/bin`)],
    ['a link that is a file of its own', (name: string) => shell(`cd ${name}/usr/bin && cp sh x && mv x sh`)],
  ])('with %s is another one', (_, change) => {
    tree('a', 100);
    const before = initramfsContent(pack('a', 'zstd -q')).toString();
    change('a');
    expect(initramfsContent(pack('a', 'zstd -q')).toString()).not.toBe(before);
  });

  it.each([
    ['xz', 'xz --check=crc32 -c', /packed with xz/],
    ['bzip2', 'bzip2 -c', /packed with bzip2/],
  ])('packed with %s is refused by name', (_, compress, message) => {
    tree('a', 100);
    expect(() => initramfsContent(pack('a', compress))).toThrow(message);
  });

  it('that is damaged is refused, and never read beyond its end', () => {
    tree('a', 100);
    const plain = pack('a', 'cat');
    const packed = pack('a', 'zstd -q');
    for (const bytes of [plain, packed]) {
      for (let cut = 1; cut < 200; cut += 7) {
        expect(() => initramfsContent(bytes.subarray(0, bytes.length - cut * 300))).toThrow(/initramfs/);
      }
    }
    const huge = Buffer.from(plain);
    huge.write('FFFFFFFF', 54, 'latin1');
    expect(() => initramfsContent(huge)).toThrow(/beyond the end/);
    expect(() => initramfsContent(Buffer.alloc(5000))).toThrow(/nothing in it/);
  });

  it('stands at known places', () => {
    expect(isInitramfs('/boot/initrd.img-6.1.0-39-amd64')).toBe(true);
    expect(isInitramfs('/boot/initramfs-6.1.148-173.267.amzn2023.x86_64.img')).toBe(true);
    expect(isInitramfs('/boot/vmlinuz-6.1.0-39-amd64')).toBe(false);
  });
});
