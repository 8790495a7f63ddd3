import type { Digest } from '../chunk-store/chunk-store';
import type { IdentityValues } from '../image/identity-values';
import type { OsIdentity } from '../image/os-identity';

/** Raised when profiles of the version before could be misread. */
export const PROFILE_VERSION = 1;

/** What one image is, as far as an update is thought to depend on it. Plain JSON. */
export interface Profile {
  readonly version: typeof PROFILE_VERSION;
  readonly instanceId: string;
  readonly os: OsIdentity;
  /** Version by `name:architecture` (dpkg) or `name.architecture` (rpm), of installed packages; empty where there is no package system that is read. */
  readonly packages: Readonly<Record<string, string>>;
  /** Digest by path of the footprint, `absent` where there is nothing. */
  readonly entries: Readonly<Record<string, Digest | 'absent'>>;
  /** Points of variation: they take no part in the signature. */
  readonly identity: IdentityValues;
  readonly filesystems: readonly ProfiledFilesystem[];
}

export interface ProfiledFilesystem {
  readonly mountPoint: string;
  readonly kind: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
}
