import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { BuildError } from '../build-error';
import { DebianArchive } from '../debian-archive';
import { SUITE } from '../guest-contents';
import { fetchPackages } from '../fetch-packages';
import type { MakeGuestOptions } from '../make-guest';
import { type LockedPackage, readLock, writeLock } from '../package-lock';
import { closureDigest, folderDigest, putClosure, QEMU_PACKAGE, qemuClosure } from './qemu-closure';
import { runProgram } from '../run-program';

const LOCK = 'qemu.lock.json';

/**
 * Makes `qemu/` in the output folder: QEMU with all that it needs, from pinned Debian packages, unless it is there.
 * @throws BuildError
 */
export async function makeQemu(options: MakeGuestOptions): Promise<void> {
  const { sources, output, tell, updateLock = false } = options;
  const folder = join(output, 'qemu');
  const lock = updateLock ? undefined : await readLock(sources, LOCK);
  if (lock !== undefined && (await folderDigest(folder)) === lock.digests['qemu']) return;
  const archive = await DebianArchive.open(options.cache ?? join(output, 'cache'), {
    suite: SUITE,
    mirror: options.mirror,
  });
  const packages = lock?.packages ?? (await newestPackages(archive, tell));
  const { files, taken } = await fetchPackages(archive, packages, options);
  const work = await realpath(await mkdtemp(join(tmpdir(), 'kernel-engine-qemu-')));
  try {
    tell(`unpacking QEMU from ${taken.length} packages`);
    for (const file of files.values()) await runProgram('dpkg-deb', ['--extract', file, work]);
    const closure = await qemuClosure(work);
    const digest = await closureDigest(closure);
    if (updateLock) {
      const held = [...closure.values()].map((file) => relative(work, file));
      await writeLock(
        sources,
        { suite: SUITE, packages: await holding(held, taken, files), digests: { qemu: digest } },
        LOCK,
      );
    } else if (taken.every((entry, index) => entry === packages[index]) && digest !== lock?.digests['qemu']) {
      throw new BuildError(
        `QEMU's files are not what was recorded: their SHA-256 is ${digest}`,
        'If kernel-engine/build was changed on purpose, record it: npm run kernel-engine -- --update-lock',
      );
    }
    await putClosure(closure, folder);
  } finally {
    await rm(work, { recursive: true });
  }
}

async function newestPackages(
  archive: DebianArchive,
  tell: (line: string) => void,
): Promise<readonly LockedPackage[]> {
  tell('asking the archive for the newest QEMU, and all that it needs');
  await archive.update();
  const packages: LockedPackage[] = [];
  for (const name of (await archive.withDependencies(QEMU_PACKAGE)).sort()) {
    packages.push(await archive.newest(name));
  }
  return packages;
}

/** The packages that hold any of the files: what QEMU is said to need is much more than what it is linked to. */
async function holding(
  wanted: readonly string[],
  packages: readonly LockedPackage[],
  files: ReadonlyMap<string, string>,
): Promise<LockedPackage[]> {
  const holders: LockedPackage[] = [];
  for (const entry of packages) {
    const listed = await runProgram('dpkg-deb', ['--contents', files.get(entry.name) ?? '']);
    const held = new Set([...listed.toString().matchAll(/ \.\/(\S+)$/gm)].map(([, path]) => path));
    if (wanted.some((path) => held.has(path))) holders.push(entry);
  }
  return holders;
}
