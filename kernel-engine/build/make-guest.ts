import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BuildError } from './build-error';
import { buildGuest, putFile } from './build-guest';
import { DebianArchive } from './debian-archive';
import { fetchPackages } from './fetch-packages';
import { CONTENTS, KERNEL_META_PACKAGE, KERNEL_PACKAGE, SUITE } from './guest-contents';
import { oneAtATime } from './one-at-a-time';
import { type LockedPackage, type PackagesLock, readLock, sha256, writeLock } from './package-lock';

/** What `build.json` beside the guest says of it. */
export interface BuildRecord {
  /** Of all that the guest is made from: the same inputs need no new build. */
  readonly inputs: string;
  /** False when a pinned package was gone from the archive and its newest version was taken. */
  readonly asRecorded: boolean;
  readonly packages: readonly LockedPackage[];
  readonly digests: Readonly<Record<string, string>>;
}

export interface MakeGuestOptions {
  /** This folder's parent: the lock file and the guest's programs. */
  readonly sources: string;
  /** `guest/` is made in it. */
  readonly output: string;
  /** Where fetched packages are kept; `cache/` of the output when left out. */
  readonly cache?: string;
  readonly mirror?: string;
  /** Pins what the archive has now. */
  readonly updateLock?: boolean;
  /** Takes the newest version where the pinned one is gone from the archive, and says so. */
  readonly allowNewer?: boolean;
  readonly tell: (line: string) => void;
}

/**
 * Builds the guest of the kernel engine from pinned Debian packages, unless it is there already.
 * @throws BuildError
 */
export function makeGuest(options: MakeGuestOptions): Promise<BuildRecord> {
  return oneAtATime(`guest in ${resolve(options.output)}`, () => make(options));
}

async function make(options: MakeGuestOptions): Promise<BuildRecord> {
  const { sources, output, tell, updateLock = false } = options;
  const lock = updateLock ? undefined : await readLock(sources);
  const inputs = await inputsDigest(sources);
  if (!updateLock) {
    const made = await madeBefore(output, inputs);
    if (made !== undefined) return made;
  }
  const archive = await DebianArchive.open(options.cache ?? join(output, 'cache'), {
    suite: SUITE,
    mirror: options.mirror,
  });
  const packages = lock?.packages ?? (await newestPackages(archive, tell));
  const { files, taken } = await fetchPackages(archive, packages, options);
  const kernelPackage = taken.find(({ name }) => KERNEL_PACKAGE.test(name));
  if (kernelPackage === undefined) throw new BuildError('the lock file names no kernel');
  tell(`building the guest of ${taken.length} packages, ${kernelPackage.name} among them`);
  const guest = await buildGuest(files, kernelPackage.name, join(sources, 'guest'));

  const digests = { vmlinux: sha256(guest.kernel), system: sha256(guest.system) };
  const asRecorded = taken.every((entry, index) => entry === packages[index]);
  if (updateLock) await writeLock(sources, { suite: SUITE, packages, digests });
  else if (lock !== undefined && asRecorded) checkDigests(lock, digests);
  const initramfs = Buffer.concat([guest.system, guest.agent]);
  const record: BuildRecord = {
    inputs: await inputsDigest(sources),
    asRecorded,
    packages: taken,
    digests: { ...digests, initramfs: sha256(initramfs) },
  };
  await putFile(join(output, 'guest/vmlinux'), guest.kernel);
  await putFile(join(output, 'guest/initramfs'), initramfs);
  await putFile(join(output, 'guest/build.json'), Buffer.from(`${JSON.stringify(record, null, 2)}\n`));
  return record;
}

async function inputsDigest(sources: string): Promise<string> {
  const parts: string[] = [];
  const files = (await readdir(sources, { recursive: true })).filter(
    (file) => file === 'packages.lock.json' || /^(build|guest)\/[^/]+\.(ts|py)$/.test(file),
  );
  for (const file of files.sort()) parts.push(`${file} ${sha256(await readFile(join(sources, file)))}\n`);
  return sha256(Buffer.from(parts.join('')));
}

async function madeBefore(output: string, inputs: string): Promise<BuildRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(output, 'guest/build.json'), 'utf8')) as BuildRecord;
    if (record.inputs !== inputs) return undefined;
    for (const name of ['vmlinux', 'initramfs']) {
      if (sha256(await readFile(join(output, 'guest', name))) !== record.digests[name]) return undefined;
    }
    return record;
  } catch {
    // Nothing that was built is there, or not whole: it is built now.
    return undefined;
  }
}

async function newestPackages(
  archive: DebianArchive,
  tell: (line: string) => void,
): Promise<readonly LockedPackage[]> {
  tell('asking the archive for the newest packages');
  await archive.update();
  const kernel = await archive.dependencyOf(KERNEL_META_PACKAGE, KERNEL_PACKAGE);
  const names = [...new Set([kernel, ...CONTENTS.map((contents) => contents.package)])].sort();
  const packages: LockedPackage[] = [];
  for (const name of names) packages.push(await archive.newest(name));
  return packages;
}

function checkDigests(lock: PackagesLock, digests: Readonly<Record<string, string>>): void {
  for (const [name, digest] of Object.entries(lock.digests)) {
    if (digests[name] !== digest) {
      throw new BuildError(
        `${name} is not what was recorded: its SHA-256 is ${digests[name]}, not ${digest}`,
        'If kernel-engine/build was changed on purpose, record it: npm run kernel-engine -- --update-lock',
      );
    }
  }
}
