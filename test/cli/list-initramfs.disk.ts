import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The oracle holds two initramfs for equal when they unpack equal but for times: judged on archives of cpio(1). */
const LISTER = path.resolve(__dirname, '../../cli/oracle/list_initramfs.py');

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'initramfs-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** An archive of one file and a link to it, made by cpio at a given time; `early` stands before it, not compressed. */
function initramfs(
  name: string,
  { text = 'one\n', time = '2026-01-01', compress = 'cat', early = false } = {},
): string {
  const script = `set -e
    rm -rf --one-file-system tree; mkdir tree; printf '%s' "$1" > tree/file; ln -s file tree/link
    find tree -exec touch -h -d "$2" {} +
    (cd tree && find . | sort | cpio --quiet -o -H newc) > archive
    if [ "$4" = true ]; then cat archive; fi > "$5"
    $3 < archive >> "$5"`;
  execFileSync('sh', ['-c', script, 'sh', text, time, compress, String(early), name], { cwd: folder });
  return path.join(folder, name);
}

const listing = (file: string): string => execFileSync('python3', [LISTER, file]).toString();

test('times and compression do not count', () => {
  const plain = listing(initramfs('plain'));
  expect(plain).toMatch(/^'file' 100644 0:0 0:0 4 [0-9a-f]{64}$/m);
  for (const compress of ['gzip', 'zstd -q', 'xz'])
    expect(listing(initramfs('other', { time: '2020-05-05', compress }))).toBe(plain);
});

test('content counts, also of what stands behind an early archive', () => {
  const early = { compress: 'gzip', early: true };
  const one = listing(initramfs('one', early));
  expect(one.match(/'file'/g)).toHaveLength(2);
  expect(listing(initramfs('two', { ...early, text: 'two\n' }))).not.toBe(one);
});

test('what is no archive is an error, not an empty list', () => {
  const file = path.join(folder, 'none');
  writeFileSync(file, 'hello');
  expect(() => execFileSync('python3', [LISTER, file], { stdio: 'pipe' })).toThrow('unknown compression');
});
