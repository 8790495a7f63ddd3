import { UnsupportedFeatureError } from '../errors';

/** Feature bits of the ext4 superblock (kernel Documentation/filesystems/ext4/super.rst), by the names of e2fsprogs. */
export const Compat = {
  dir_prealloc: 0x1,
  imagic_inodes: 0x2,
  has_journal: 0x4,
  ext_attr: 0x8,
  resize_inode: 0x10,
  dir_index: 0x20,
  lazy_bg: 0x40,
  exclude_inode: 0x80,
  snapshot_bitmap: 0x100,
  sparse_super2: 0x200,
  fast_commit: 0x400,
  stable_inodes: 0x800,
  orphan_file: 0x1000,
} as const;

export const Incompat = {
  compression: 0x1,
  filetype: 0x2,
  needs_recovery: 0x4,
  journal_dev: 0x8,
  meta_bg: 0x10,
  extent: 0x40,
  '64bit': 0x80,
  mmp: 0x100,
  flex_bg: 0x200,
  ea_inode: 0x400,
  dirdata: 0x1000,
  metadata_csum_seed: 0x2000,
  large_dir: 0x4000,
  inline_data: 0x8000,
  encrypt: 0x10000,
  casefold: 0x20000,
} as const;

export const RoCompat = {
  sparse_super: 0x1,
  large_file: 0x2,
  btree_dir: 0x4,
  huge_file: 0x8,
  uninit_bg: 0x10,
  dir_nlink: 0x20,
  extra_isize: 0x40,
  has_snapshot: 0x80,
  quota: 0x100,
  bigalloc: 0x200,
  metadata_csum: 0x400,
  replica: 0x800,
  'read-only': 0x1000,
  project: 0x2000,
  shared_blocks: 0x4000,
  verity: 0x8000,
  orphan_present: 0x10000,
} as const;

/** The three feature words of a superblock. */
export interface FeatureWords {
  readonly featureCompat: number;
  readonly featureIncompat: number;
  readonly featureRoCompat: number;
}

const READ_INCOMPAT =
  Incompat.filetype |
  Incompat.needs_recovery |
  Incompat.meta_bg |
  Incompat.extent |
  Incompat['64bit'] |
  Incompat.mmp |
  Incompat.flex_bg |
  Incompat.metadata_csum_seed |
  Incompat.large_dir;

const WRITE_INCOMPAT =
  Incompat.filetype |
  Incompat.needs_recovery |
  Incompat.extent |
  Incompat['64bit'] |
  Incompat.flex_bg |
  Incompat.metadata_csum_seed;

const WRITE_RO_COMPAT =
  RoCompat.sparse_super |
  RoCompat.large_file |
  RoCompat.huge_file |
  RoCompat.uninit_bg |
  RoCompat.dir_nlink |
  RoCompat.extra_isize |
  RoCompat.metadata_csum |
  RoCompat.orphan_present;

/** An unknown compat bit may be ignored by rule; a writer of strangers' images does not. */
const WRITE_COMPAT =
  Compat.has_journal |
  Compat.ext_attr |
  Compat.resize_inode |
  Compat.dir_index |
  Compat.orphan_file |
  // Only an empty fast-commit area gets this far: recovery refuses one that holds commits.
  Compat.fast_commit;

/**
 * What must hold before anything else of the filesystem is read.
 * @throws UnsupportedFeatureError naming every incompat feature that the reader does not know
 */
export function checkReadable(features: FeatureWords): void {
  const missing = featureNamesOf(features.featureIncompat & ~READ_INCOMPAT, Incompat, 'incompat');
  if (missing.length > 0) throw new UnsupportedFeatureError(missing, 'read');
}

/**
 * What must hold before the direct writer changes a byte.
 * @throws UnsupportedFeatureError naming every feature that the writer does not keep consistent
 */
export function checkWritable(features: FeatureWords): void {
  const missing = [
    ...featureNamesOf(features.featureIncompat & ~WRITE_INCOMPAT, Incompat, 'incompat'),
    ...featureNamesOf(features.featureRoCompat & ~WRITE_RO_COMPAT, RoCompat, 'ro_compat'),
    ...featureNamesOf(features.featureCompat & ~WRITE_COMPAT, Compat, 'compat'),
  ];
  if (missing.length > 0) throw new UnsupportedFeatureError(missing, 'write');
}

/** A bit without a name comes out as `incompat 0x...`. */
function featureNamesOf(bits: number, table: Readonly<Record<string, number>>, word: string): string[] {
  const names: string[] = [];
  for (let position = 0; position < 32; position++) {
    const bit = (1 << position) >>> 0;
    if ((bits & bit) >>> 0 === 0) continue;
    const known = Object.entries(table).find(([, value]) => value === bit);
    names.push(known ? known[0] : `${word} 0x${bit.toString(16)}`);
  }
  return names;
}
