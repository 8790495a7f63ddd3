import { BuildError } from './build-error';
import type { DebianArchive } from './debian-archive';
import { KERNEL_META_PACKAGE, KERNEL_PACKAGE } from './guest-contents';
import type { LockedPackage } from './package-lock';

export interface FetchOptions {
  /** Takes the newest version where the pinned one is gone from the archive, and says so. */
  readonly allowNewer?: boolean;
  readonly tell: (line: string) => void;
}

/** Fetches pinned packages, or what takes their places. */
export async function fetchPackages(
  archive: DebianArchive,
  packages: readonly LockedPackage[],
  { allowNewer = false, tell }: FetchOptions,
): Promise<{ files: Map<string, string>; taken: LockedPackage[] }> {
  const missing: LockedPackage[] = [];
  for (const wanted of packages) if (!(await archive.has(wanted))) missing.push(wanted);
  if (missing.length > 0) {
    tell(`fetching ${missing.length} Debian packages`);
    await archive.update();
  }
  const taken: LockedPackage[] = [];
  for (const wanted of packages) {
    taken.push(missing.includes(wanted) ? await available(archive, wanted, allowNewer, tell) : wanted);
  }
  return { files: await archive.fetch(taken), taken };
}

/** The pinned package, or what takes its place. @throws BuildError when the archive has it no more */
async function available(
  archive: DebianArchive,
  wanted: LockedPackage,
  allowNewer: boolean,
  tell: (line: string) => void,
): Promise<LockedPackage> {
  if (await archive.offers(wanted)) return wanted;
  if (!allowNewer) {
    throw new BuildError(
      `the archive has ${wanted.name} ${wanted.version} no more`,
      'Pin what it has now: npm run kernel-engine -- --update-lock',
    );
  }
  const name = KERNEL_PACKAGE.test(wanted.name)
    ? await archive.dependencyOf(KERNEL_META_PACKAGE, KERNEL_PACKAGE)
    : wanted.name;
  const newest = await archive.newest(name);
  tell(
    `warning: ${wanted.name} ${wanted.version} is gone from the archive; ${newest.name} ${newest.version} is taken instead: this build is not the recorded one`,
  );
  return newest;
}
