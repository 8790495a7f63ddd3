import type { FilesystemReader } from '../filesystem/filesystem';
import type { PackageSystem } from '../image/os-identity';
import { debianPackageFiles } from './debian-package-files';
import { rpmPackageFiles } from './rpm/rpm-package-files';

/** Which package brought which file, by whatever package system. */
export interface PackageFiles {
  /** Key of a package that brings what stands at this path; undefined for what no package brought. */
  ownerOf(path: string): string | undefined;
  /** Its version, where several may be installed at once: kernels of rpm. */
  versionOf(path: string): string | undefined;
  /** True for configuration files of packages: they may be changed locally, and packages respect that. */
  isConfiguration(path: string): boolean;
}

/** Reads which package brought which file of an image; nothing of one whose package system is not read. */
export async function packageFiles(
  image: FilesystemReader & {
    readonly os: { readonly packageSystem: PackageSystem; readonly architecture: string };
  },
): Promise<PackageFiles> {
  if (image.os.packageSystem === 'rpm') return rpmPackageFiles(image, image.os.architecture);
  return debianPackageFiles(image);
}
