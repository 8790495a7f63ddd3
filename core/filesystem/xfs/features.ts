import { UnsupportedFeatureError } from '../errors';

/** Bits of sb_versionnum beside the version itself (kernel fs/xfs/libxfs/xfs_format.h). */
export const Version = {
  'directory version 2': 0x2000,
  'ascii-ci': 0x4000,
  log2: 0x400,
  more: 0x8000,
} as const;

/** Bits of sb_features2, which version 4 has where version 5 has the incompat word. */
export const Features2 = { ftype: 0x200 } as const;

/** Incompat feature bits of version 5, by the names that mkfs.xfs and xfs_db use. */
export const Incompat = {
  ftype: 0x1,
  spinodes: 0x2,
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

/** Read-only compatible feature bits of version 5. Whoever reads only may ignore those that it does not know. */
export const RoCompat = { finobt: 0x1, rmapbt: 0x2, reflink: 0x4, inobtcount: 0x8 } as const;

const READ_INCOMPAT =
  Incompat.ftype |
  Incompat.spinodes |
  Incompat.meta_uuid |
  Incompat.bigtime |
  Incompat.nrext64 |
  Incompat.exchange |
  Incompat.parent;

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
 * What must hold before anything else of the filesystem is read. A log or real-time section on another device is refused
 * because this device alone is not the filesystem; the kernel does not mount it either.
 * @throws UnsupportedFeatureError naming everything that the reader does not know
 */
export function checkReadable(features: FeatureWords): void {
  const missing = namesOf(features.featureIncompat & ~READ_INCOMPAT);
  if (features.versionBits & Version['ascii-ci']) missing.push('ascii-ci');
  if (features.realtimeBlocks > 0) missing.push('realtime');
  if (features.logStart === 0) missing.push('external log');
  if (missing.length > 0) throw new UnsupportedFeatureError(missing, 'read');
}

function namesOf(bits: number): string[] {
  const names: string[] = [];
  for (let position = 0; position < 32; position++) {
    const bit = (1 << position) >>> 0;
    if ((bits & bit) >>> 0 === 0) continue;
    const known = Object.entries(Incompat).find(([, value]) => value === bit);
    names.push(known ? known[0] : `incompat 0x${bit.toString(16)}`);
  }
  return names;
}
