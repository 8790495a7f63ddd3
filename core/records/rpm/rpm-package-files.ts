import type { FilesystemReader } from '../../filesystem/filesystem';
import { NO_PACKAGE_FILES } from '../debian-package-files';
import { mergedFolders } from '../merged-folders';
import type { PackageFiles } from '../package-files';
import { RecordFormatError } from '../record-errors';
import { packageKey, RPMDB } from './package-record';
import { RpmHeader, TAG } from './rpm-header';
import { rpmHeaders, versionOf } from './rpm-packages';
import { compareRpmVersions } from './rpm-version';

/** Attributes of a file (rpmfiles.h, `rpmfileAttrs_e`). */
const CONFIG = 1 << 0;
const GHOST = 1 << 6;
/** What of a file `rpm --verify` compares (rpmfiles.h, `rpmVerifyAttrs_e`): digest, size, target of a link. */
const VERIFIED_CONTENT = 0b111;
/** rpmfiles.h, `rpmfileState_e`; others are not installed, replaced by another package, or of the wrong architecture. */
const NORMAL_STATE = 0;
/** Of all packages together. */
const MAX_PATHS_LENGTH = 256 * 1024 * 1024;

interface Owner {
  readonly key: string;
  readonly version: string;
  readonly isNative: boolean;
}

/**
 * Reads the lists of files in the headers of rpm's database, as `rpm --query --file` does. What a package owns without
 * bringing its content belongs to none here, so that it counts by what it holds: `%ghost` files, those that a package says
 * change after they were installed (`%verify(not filedigest)`), and those that were not installed with it. Of packages that
 * share a file one of the machine's own architecture is its owner: not every machine has the others.
 *
 * A database that cannot be read tells of no file.
 */
export async function rpmPackageFiles(image: FilesystemReader, architecture: string): Promise<PackageFiles> {
  const owners = new Map<string, Owner>();
  const configuration = new Set<string>();
  const real = await mergedFolders(image);
  let length = 0;
  try {
    await rpmHeaders(image, (bytes) => {
      const header = new RpmHeader(bytes, RPMDB);
      const arch = header.text(TAG.arch);
      const owner: Owner = {
        key: packageKey(bytes),
        version: versionOf(bytes),
        isNative: arch === architecture || arch === 'noarch',
      };
      for (const { path: listed, isConfiguration } of filesBrought(header)) {
        length += listed.length;
        if (length > MAX_PATHS_LENGTH) throw new RecordFormatError(RPMDB, 'packages of too many files');
        const path = real(listed);
        if (isConfiguration) configuration.add(path);
        const known = owners.get(path);
        if (known === undefined || isBefore(owner, known)) owners.set(path, owner);
      }
    });
  } catch (error) {
    if (error instanceof RecordFormatError) return NO_PACKAGE_FILES;
    throw error;
  }
  return {
    ownerOf: (path) => owners.get(path)?.key,
    versionOf: (path) => owners.get(path)?.version,
    isConfiguration: (path) => configuration.has(path),
  };
}

/** Files with the content that the package has of them. Lists that a header lacks say what rpm takes for granted. */
function* filesBrought(header: RpmHeader): Generator<{ path: string; isConfiguration: boolean }> {
  const flags = header.numbers(TAG.fileFlags);
  const verified = header.numbers(TAG.fileVerifyFlags);
  const states = header.bytesOf(TAG.fileStates);
  for (const [file, path] of header.files().entries()) {
    const flag = flags[file] ?? 0;
    const isBrought =
      (flag & GHOST) === 0 &&
      ((verified[file] ?? VERIFIED_CONTENT) & VERIFIED_CONTENT) === VERIFIED_CONTENT &&
      (states[file] ?? NORMAL_STATE) === NORMAL_STATE;
    if (isBrought) yield { path, isConfiguration: (flag & CONFIG) !== 0 };
  }
}

function isBefore(one: Owner, other: Owner): boolean {
  if (one.isNative !== other.isNative) return one.isNative;
  if (one.key !== other.key) return one.key < other.key;
  return compareRpmVersions(one.version, other.version) > 0;
}
