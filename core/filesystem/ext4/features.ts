import { UnsupportedFeatureError } from '../errors';
import type { FeatureSupport } from '../feature-support';
import { RefusedFilesystemError } from '../write-errors';

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

/** What is done with filesystems that have a feature, or one of the properties that no feature bit says. */
export interface Ext4Feature {
  /** As e2fsprogs calls it, or in words. */
  readonly name: string;
  /** The word of the superblock and the bit in it; undefined for a property. */
  readonly word?: 'compat' | 'incompat' | 'ro_compat';
  readonly bit?: number;
  readonly read: FeatureSupport;
  readonly write: FeatureSupport;
  readonly remark?: string;
}

/** The rule of the format for bits that nobody knows: compat may be written, ro_compat only read, incompat neither. */
const UNKNOWN_SUPPORT = {
  compat: ['direct', 'kernel'],
  incompat: ['refused', 'refused'],
  ro_compat: ['direct', 'refused'],
} as const satisfies Record<string, Told>;

type Told = readonly [read: FeatureSupport, write: FeatureSupport, remark?: string];

const COMPAT_SUPPORT: Readonly<Record<keyof typeof Compat, Told>> = {
  dir_prealloc: ['direct', 'kernel', 'of no known volume'],
  imagic_inodes: ['direct', 'kernel', 'of AFS'],
  has_journal: ['direct', 'direct', 'jbd2 in an inode of the volume, replayed in memory'],
  ext_attr: ['direct', 'direct'],
  resize_inode: ['direct', 'direct'],
  dir_index: ['direct', 'direct', 'legacy, half_md4 and tea hashes, signed and unsigned'],
  lazy_bg: ['direct', 'kernel', 'given up before Linux had it'],
  exclude_inode: ['direct', 'kernel', 'of snapshots that Linux never had'],
  snapshot_bitmap: ['direct', 'kernel', 'of snapshots that Linux never had'],
  sparse_super2: ['direct', 'direct'],
  fast_commit: ['direct', 'direct', 'with no fast commits pending'],
  stable_inodes: ['direct', 'direct'],
  orphan_file: ['direct', 'direct'],
};

const INCOMPAT_SUPPORT: Readonly<Record<keyof typeof Incompat, Told>> = {
  compression: ['refused', 'refused', 'Linux never had it'],
  filetype: ['direct', 'direct'],
  needs_recovery: ['direct', 'direct', 'the journal is replayed first'],
  journal_dev: ['refused', 'refused', 'the journal of another filesystem'],
  meta_bg: ['direct', 'direct'],
  extent: ['direct', 'direct'],
  '64bit': ['direct', 'direct'],
  mmp: ['direct', 'direct', 'if no mount has claimed the volume'],
  flex_bg: ['direct', 'direct'],
  ea_inode: ['direct', 'direct'],
  dirdata: ['refused', 'refused', 'of Lustre'],
  metadata_csum_seed: ['direct', 'direct'],
  large_dir: ['direct', 'direct', 'an index of three levels'],
  inline_data: ['direct', 'direct', 'new files and changed directories get blocks'],
  encrypt: ['direct', 'kernel', 'names as Linux shows them without the key; content refused'],
  casefold: ['direct', 'kernel', 'names as they are stored; paths are matched exactly'],
};

const RO_COMPAT_SUPPORT: Readonly<Record<keyof typeof RoCompat, Told>> = {
  sparse_super: ['direct', 'direct'],
  large_file: ['direct', 'direct'],
  btree_dir: ['direct', 'kernel', 'of no known volume'],
  huge_file: ['direct', 'direct'],
  uninit_bg: ['direct', 'direct', 'also called gdt_csum'],
  dir_nlink: ['direct', 'direct'],
  extra_isize: ['direct', 'direct'],
  has_snapshot: ['direct', 'refused', 'of snapshots that Linux never had'],
  quota: ['direct', 'kernel'],
  bigalloc: ['direct', 'kernel'],
  metadata_csum: ['direct', 'direct'],
  replica: ['direct', 'refused', 'Linux mounts it read-only'],
  'read-only': ['direct', 'refused', 'Linux mounts it read-only'],
  project: ['direct', 'direct', 'without quota'],
  shared_blocks: ['direct', 'refused', 'Linux mounts it read-only'],
  verity: ['direct', 'direct', 'sealed files are refused'],
  orphan_present: ['direct', 'direct', 'the orphans are deleted first'],
};

/** What no bit says, or not alone. */
const PROPERTIES: Readonly<Record<string, Told>> = {
  'ext2 and ext3': ['direct', 'direct'],
  'blocks of 1 to 4 KiB': ['direct', 'direct'],
  'blocks of 8 to 64 KiB': ['direct', 'direct', 'Linux before 6.19 mounts no blocks larger than its pages'],
  'inodes of 128 bytes to a block': ['direct', 'direct'],
  'fast commits to be replayed': [
    'kernel',
    'kernel',
    'replayed by Linux in a copy, then read and written directly',
  ],
  'a log of journal_async_commit to be replayed': [
    'kernel',
    'kernel',
    'unless each of its blocks has a checksum',
  ],
  'more than 256 MiB in the journal to be replayed': ['kernel', 'kernel'],
  'a journal on another device, with nothing to replay': ['direct', 'refused'],
  'a journal on another device, to be replayed': ['refused', 'refused'],
  'claimed by mmp': ['direct', 'refused', 'a mount claims the volume, or did when its machine stopped'],
  'errors noted by the last mount': ['direct', 'refused', 'fsck has to see them first'],
  'not unmounted, without a journal': ['direct', 'refused', 'fsck has to see it first'],
  'content of encrypted files': ['refused', 'refused', 'the key is not on the disk'],
  'files sealed by fs-verity': ['direct', 'refused', 'all others of the volume are written'],
};

/** Every feature that has a name: what docs/filesystems.md tells, and by what volumes are let in. */
export const EXT4_FEATURES: readonly Ext4Feature[] = [
  ...rows('compat', Compat, COMPAT_SUPPORT),
  ...rows('incompat', Incompat, INCOMPAT_SUPPORT),
  ...rows('ro_compat', RoCompat, RO_COMPAT_SUPPORT),
  ...Object.entries(PROPERTIES).map(([name, told]) => row(name, told)),
];

/**
 * What must hold before anything else of the filesystem is read.
 * @throws UnsupportedFeatureError naming every incompat feature that the reader does not know
 */
export function checkReadable(features: FeatureWords): void {
  const missing = featuresOf(features)
    .filter(({ word, read }) => word === 'incompat' && read !== 'direct')
    .map(({ name }) => name);
  if (missing.length > 0) throw new UnsupportedFeatureError(missing, 'read');
}

/**
 * What must hold before the direct writer changes a byte. An unknown compat bit may be ignored by rule; a writer of
 * strangers' images does not.
 * @throws RefusedFilesystemError naming every feature that keeps Linux, too, from writing
 * @throws UnsupportedFeatureError naming every feature that only Linux keeps consistent
 */
export function checkWritable(features: FeatureWords): void {
  const found = featuresOf(features);
  const named = (support: FeatureSupport): string[] =>
    found.filter(({ write }) => write === support).map(({ name }) => name);
  if (named('refused').length > 0) throw RefusedFilesystemError.ofFeatures('ext4', named('refused'));
  if (named('kernel').length > 0) throw new UnsupportedFeatureError(named('kernel'), 'write');
}

/** What each set bit of a superblock is. A bit without a name comes out as `incompat 0x...`. */
function featuresOf({ featureCompat, featureIncompat, featureRoCompat }: FeatureWords): Ext4Feature[] {
  const words = { compat: featureCompat, incompat: featureIncompat, ro_compat: featureRoCompat } as const;
  const found: Ext4Feature[] = [];
  for (const word of ['incompat', 'ro_compat', 'compat'] as const) {
    for (let position = 0; position < 32; position++) {
      const bit = (1 << position) >>> 0;
      if ((words[word] & bit) !== 0) found.push(featureOf(word, bit));
    }
  }
  return found;
}

function featureOf(word: keyof typeof UNKNOWN_SUPPORT, bit: number): Ext4Feature {
  const known = EXT4_FEATURES.find((feature) => feature.word === word && feature.bit === bit);
  if (known) return known;
  const [read, write] = UNKNOWN_SUPPORT[word];
  return { name: `${word} 0x${bit.toString(16)}`, word, bit, read, write };
}

function rows<Name extends string>(
  word: keyof typeof UNKNOWN_SUPPORT,
  bits: Readonly<Record<Name, number>>,
  support: Readonly<Record<Name, Told>>,
): Ext4Feature[] {
  return (Object.keys(bits) as Name[]).map((name) => ({
    ...row(name, support[name]),
    word,
    bit: bits[name],
  }));
}

function row(name: string, [read, write, remark]: Told): Ext4Feature {
  return { name, read, write, ...(remark === undefined ? {} : { remark }) };
}
