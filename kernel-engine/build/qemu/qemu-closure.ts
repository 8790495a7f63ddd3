import { copyFile, mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { BuildError } from '../build-error';
import { sha256 } from '../package-lock';
import { runProgram } from '../run-program';

/** The only package that is asked for; the others are what it needs. */
export const QEMU_PACKAGE = 'qemu-system-x86';

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
const LOADER = 'ld-linux-x86-64.so.2';
const PROGRAM = 'usr/bin/qemu-system-x86_64';
/** What a machine of type `pc` starts with when it is given a kernel. */
const FIRMWARE = [
  'usr/share/seabios/bios-256k.bin',
  'usr/share/qemu/kvmvapic.bin',
  'usr/share/qemu/linuxboot_dma.bin',
  'usr/share/qemu/pvh.bin',
];
/** Opened by the C library when a thread ends, and named by no program. */
const OPENED_LATER = ['libgcc_s.so.1'];

/** Files of packages by where they are put. */
export type Closure = ReadonlyMap<string, string>;

/**
 * What QEMU needs to run on any x86_64 Linux: the program, its firmware, every library that it is linked to, directly or
 * not, and their loader.
 * @param root of the unpacked packages, whose own loader is run to find the libraries
 */
export async function qemuClosure(root: string): Promise<Closure> {
  const libraries = join(root, LIBRARIES);
  const loader = join(libraries, LOADER);
  const listed = await runProgram(loader, ['--library-path', libraries, '--list', join(root, PROGRAM)]);
  const files = new Map([
    ['bin/qemu-system-x86_64', join(root, PROGRAM)],
    [`lib/${LOADER}`, loader],
    ...OPENED_LATER.map((name) => [`lib/${name}`, join(libraries, name)] as const),
    ...FIRMWARE.map((file) => [`share/${basename(file)}`, join(root, file)] as const),
  ]);
  for (const [, name, found] of listed.toString().matchAll(/^\s*(\S+) => (.+?)(?: \(0x[0-9a-f]+\))?$/gm)) {
    if (name === undefined || found === undefined || !found.startsWith(`${root}/`)) {
      throw new BuildError(`QEMU needs ${name}, which none of the packages holds`);
    }
    files.set(`lib/${basename(name)}`, found);
  }
  const resolved = new Map<string, string>();
  for (const [place, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    resolved.set(
      place,
      await realpath(file).catch((cause: unknown) => {
        throw new BuildError(`no package holds ${relative(root, file)}`, undefined, { cause });
      }),
    );
  }
  return resolved;
}

/** Puts the closure in place of what was there. */
export async function putClosure(closure: Closure, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const [place, file] of closure) {
    await mkdir(join(folder, place, '..'), { recursive: true });
    await copyFile(file, join(folder, place));
  }
}

/** One digest of all files with their places. */
export async function closureDigest(closure: Closure): Promise<string> {
  const lines: string[] = [];
  for (const [place, file] of closure) lines.push(`${sha256(await readFile(file))}  ${place}\n`);
  return sha256(Buffer.from(lines.join('')));
}

/** The same digest of what stands in a folder; undefined when there is nothing. */
export async function folderDigest(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const places = files.map((file) => [relative(folder, file), file] as const);
  places.sort(([a], [b]) => (a < b ? -1 : 1));
  return places.length === 0 ? undefined : closureDigest(new Map(places));
}
