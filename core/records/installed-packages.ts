import type { FilesystemReader } from '../filesystem/filesystem';
import type { PackageSystem } from '../image/os-identity';
import { debianPackages, isHeld, isInstalled } from './debian-packages';
import { compareDebianVersions } from './debian-version';
import { rpmPackages } from './rpm/rpm-packages';
import { compareRpmVersions } from './rpm/rpm-version';
import { RPMDB_PATHS } from './rpm/rpmdb';

/** One package that is in place on an image, by whatever package system. */
export interface PackageInPlace {
  /** The newest, where there are several (kernels of rpm systems). */
  readonly version: string;
  /** All versions, parted by blanks. */
  readonly versions: string;
  /** An administrator asked that it is not upgraded. */
  readonly held: boolean;
}

/** How a package system names packages and orders versions, and where it keeps its records. */
export interface PackageRules {
  readonly recordPaths: readonly string[];
  /** Of a key: `name:architecture` of dpkg, `name.architecture` of rpm. */
  nameOf(key: string): string;
  compareVersions(left: string, right: string): number;
}

const DPKG: PackageRules = {
  recordPaths: ['/var/lib/dpkg/status'],
  nameOf: (key) => key.slice(0, key.lastIndexOf(':')),
  compareVersions: compareDebianVersions,
};

const RPM: PackageRules = {
  recordPaths: RPMDB_PATHS,
  nameOf: (key) => key.slice(0, key.lastIndexOf('.')),
  compareVersions: compareRpmVersions,
};

export function packageRules(system: PackageSystem): PackageRules {
  return system === 'rpm' ? RPM : DPKG;
}

/** Where an image has the records of its packages; undefined where there are none that are read. */
export async function packageDatabase(
  image: Pick<FilesystemReader, 'lstat'> & { readonly os: { readonly packageSystem: PackageSystem } },
): Promise<string | undefined> {
  for (const path of packageRules(image.os.packageSystem).recordPaths) {
    if ((await image.lstat(path))?.type === 'file') return path;
  }
  return undefined;
}

/**
 * What is installed on an image, by key. Empty where there is no package system that is read.
 *
 * @throws RecordFormatError when its database cannot be read
 */
export async function installedPackages(
  image: FilesystemReader & { readonly os: { readonly packageSystem: PackageSystem } },
): Promise<Map<string, PackageInPlace>> {
  if (image.os.packageSystem === 'rpm') {
    const packages = await rpmPackages(image);
    return new Map(
      [...packages].map(([key, versions]) => [
        key,
        { version: versions.at(-1) ?? '', versions: versions.join(' '), held: false },
      ]),
    );
  }
  return new Map(
    [...(await debianPackages(image))]
      .filter(([, found]) => isInstalled(found))
      .map(([key, found]) => [key, { version: found.version, versions: found.version, held: isHeld(found) }]),
  );
}
