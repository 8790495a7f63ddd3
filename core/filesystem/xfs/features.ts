import { UnsupportedFeatureError } from '../errors';
import type { FeatureSupport } from '../feature-support';

/** Bits of sb_versionnum beside the version itself (kernel fs/xfs/libxfs/xfs_format.h). */
export const VersionBit = { directory2: 0x2000, asciiCi: 0x4000, more: 0x8000 } as const;

/** Bit of sb_features2, which version 4 has where version 5 has the incompat word. */
export const FTYPE_OF_VERSION_4 = 0x200;

/** Incompat feature bits of version 5, by the names that mkfs.xfs and xfs_db use. */
export const Incompat = {
  ftype: 0x1,
  sparse: 0x2,
  meta_uuid: 0x4,
  bigtime: 0x8,
  needsrepair: 0x10,
  nrext64: 0x20,
  exchange: 0x40,
  parent: 0x80,
  metadir: 0x100,
  zoned: 0x200,
  zone_gaps: 0x400,
} as const;

/** Read-only compatible feature bits of version 5. */
export const RoCompat = { finobt: 0x1, rmapbt: 0x2, reflink: 0x4, inobtcount: 0x8 } as const;

/** What is done with volumes that have a feature, or one of the properties that no feature bit says. */
export interface XfsFeature {
  /** As xfsprogs call it, or in words. */
  readonly name: string;
  readonly word?: 'incompat' | 'ro_compat';
  readonly bit?: number;
  readonly read: FeatureSupport;
  readonly write: FeatureSupport;
  readonly remark?: string;
}

type Told = readonly [read: FeatureSupport, write: FeatureSupport, remark?: string];

const INCOMPAT_SUPPORT: Readonly<Record<keyof typeof Incompat, Told>> = {
  ftype: ['direct', 'kernel'],
  sparse: ['direct', 'kernel'],
  meta_uuid: ['direct', 'kernel'],
  bigtime: ['direct', 'kernel'],
  needsrepair: ['refused', 'refused', 'Linux does not mount it either'],
  nrext64: ['direct', 'kernel'],
  exchange: ['direct', 'kernel'],
  parent: ['direct', 'kernel', 'links to parents are not shown as attributes'],
  metadir: ['refused', 'refused', 'newer than the kernel of the engine'],
  zoned: ['refused', 'refused', 'newer than the kernel of the engine'],
  zone_gaps: ['refused', 'refused', 'newer than the kernel of the engine'],
};

const RO_COMPAT_SUPPORT: Readonly<Record<keyof typeof RoCompat, Told>> = {
  finobt: ['direct', 'kernel'],
  rmapbt: ['direct', 'kernel'],
  reflink: ['direct', 'kernel'],
  inobtcount: ['direct', 'kernel'],
};

/** Properties that no bit of the feature words says. */
const PROPERTIES: readonly XfsFeature[] = [
  { name: 'version 5', read: 'direct', write: 'kernel' },
  { name: 'version 4', read: 'direct', write: 'kernel', remark: 'without checksums' },
  { name: 'ascii-ci', read: 'refused', write: 'refused', remark: 'names that are matched without case' },
  { name: 'realtime', read: 'refused', write: 'refused', remark: 'its data is on another device' },
  { name: 'external log', read: 'refused', write: 'refused', remark: 'on another device' },
];

/** Every feature that has a name: what docs/filesystems.md tells, and by what volumes are let in. */
export const XFS_FEATURES: readonly XfsFeature[] = [
  ...rows('incompat', Incompat, INCOMPAT_SUPPORT),
  ...rows('ro_compat', RoCompat, RO_COMPAT_SUPPORT),
  ...PROPERTIES,
];

/** What of a superblock decides whether the filesystem can be read. */
export interface FeatureWords {
  readonly version: number;
  readonly versionBits: number;
  readonly featureIncompat: number;
  /** Blocks of the real-time device, which is no part of this one. */
  readonly realtimeBlocks: number;
  /** 0 when the log is on a device of its own. */
  readonly logStart: number;
}

/**
 * What must hold before anything else of the filesystem is read. Unknown ro_compat features may be read over by the rule
 * of the format. A log or real-time section on another device is refused because this device alone is not the
 * filesystem.
 * @throws UnsupportedFeatureError naming everything that the reader does not know
 */
export function checkReadable(features: FeatureWords): void {
  const missing: string[] = [];
  for (let position = 0; position < 32; position++) {
    const bit = (1 << position) >>> 0;
    if ((features.featureIncompat & bit) === 0) continue;
    const known = XFS_FEATURES.find((feature) => feature.word === 'incompat' && feature.bit === bit);
    if (known?.read !== 'direct') missing.push(known?.name ?? `incompat 0x${bit.toString(16)}`);
  }
  if (features.versionBits & VersionBit.asciiCi) missing.push('ascii-ci');
  if (features.realtimeBlocks > 0) missing.push('realtime');
  if (features.logStart === 0) missing.push('external log');
  if (missing.length > 0) throw new UnsupportedFeatureError(missing, 'read');
}

function rows<Name extends string>(
  word: 'incompat' | 'ro_compat',
  bits: Readonly<Record<Name, number>>,
  support: Readonly<Record<Name, Told>>,
): XfsFeature[] {
  return (Object.keys(bits) as Name[]).map((name) => {
    const [read, write, remark] = support[name];
    return { name, word, bit: bits[name], read, write, ...(remark !== undefined && { remark }) };
  });
}
