import type { BlockDevice, BlockReader } from '../block-device/block-device';
import type { ImageElvesError } from '../errors';
import { UnsupportedFeatureError } from '../filesystem/errors';
import { LvmMetadataError } from './lvm-errors';
import { MappedDevice, type MappedSegment, type MappedStripe } from './mapped-device';
import { type MetadataSection, parseMetadataText } from './metadata-text';

const SECTOR_BYTES = 512;

/** A physical volume that is at hand. */
export interface PresentVolume {
  readonly uuid: string;
  readonly device: BlockReader | BlockDevice;
}

export interface LogicalVolume {
  readonly name: string;
  /** Undefined when it cannot be opened. */
  readonly device: MappedDevice | undefined;
  readonly refusal: ImageElvesError | undefined;
  /** Of the physical volumes that it stands on and that are at hand, in its order. */
  readonly physicalVolumes: readonly PresentVolume[];
  /** Where its first byte stands on its first physical volume; undefined when its bytes do not follow each other. */
  readonly offsetBytes: number | undefined;
}

export interface VolumeGroup {
  readonly name: string;
  readonly uuid: string;
  /** How often its metadata was written: of several copies the highest is the true one. */
  readonly sequence: number;
  /** UUIDs of all its physical volumes. */
  readonly physicalVolumes: readonly string[];
  /** Those that a machine sees: parts of others are left out. */
  readonly logicalVolumes: readonly LogicalVolume[];
}

/** Kinds of segments that only the device-mapper puts together, by the words that lvm(8) has for them. */
const KIND_WORDS: ReadonlyMap<string, string> = new Map([
  ['snapshot', 'snapshot'],
  ['mirror', 'mirror'],
  ['thin', 'thin'],
  ['thin-pool', 'thin pool'],
  ['cache', 'cached'],
  ['cache-pool', 'cache pool'],
  ['writecache', 'write-cached'],
  ['vdo', 'VDO'],
  ['vdo-pool', 'VDO pool'],
]);

/**
 * Reads the metadata of a volume group and maps its logical volumes onto the physical volumes at hand.
 *
 * @throws LvmMetadataError
 */
export function parseVolumeGroup(text: string, present: ReadonlyMap<string, PresentVolume>): VolumeGroup {
  const [section, ...others] = parseMetadataText(text).sections();
  if (section === undefined || others.length > 0) throw new LvmMetadataError('not one volume group');
  const group = new GroupMapping(section, present);
  return {
    name: section.name,
    uuid: section.text('id'),
    sequence: section.count('seqno'),
    physicalVolumes: group.physicalVolumes.map(({ uuid }) => uuid),
    logicalVolumes: group.logicalVolumes(),
  };
}

interface KnownVolume {
  readonly key: string;
  readonly uuid: string;
  readonly startBytes: number;
  readonly extents: number;
  readonly isFlaggedMissing: boolean;
  readonly present: PresentVolume | undefined;
}

interface Extents {
  readonly volume: string;
  readonly first: number;
  readonly count: number;
}

class GroupMapping {
  readonly physicalVolumes: readonly KnownVolume[];
  private readonly byKey: ReadonlyMap<string, KnownVolume>;
  private readonly extentBytes: number;
  private readonly volumes: readonly MetadataSection[];
  /** A snapshot's link between its origin and the volume that bears its name and holds the changes. */
  private readonly links = new Set<string>();
  /** Names of volumes that hold a snapshot's changes, and of those that have snapshots. */
  private readonly snapshotStores = new Set<string>();
  private readonly origins = new Set<string>();

  constructor(
    private readonly group: MetadataSection,
    present: ReadonlyMap<string, PresentVolume>,
  ) {
    this.extentBytes = group.count('extent_size') * SECTOR_BYTES;
    if (this.extentBytes === 0 || !Number.isSafeInteger(this.extentBytes))
      throw this.wrong('the extent size');
    this.physicalVolumes = group
      .section('physical_volumes')
      .sections()
      .map((section) => {
        const uuid = section.text('id');
        return {
          key: section.name,
          uuid,
          startBytes: section.count('pe_start') * SECTOR_BYTES,
          extents: section.count('pe_count'),
          isFlaggedMissing: [...section.list('flags'), ...section.list('status')].includes('MISSING'),
          present: present.get(uuid),
        };
      });
    this.byKey = new Map(this.physicalVolumes.map((volume) => [volume.key, volume]));
    const hasVolumes = group.sections().some(({ name }) => name === 'logical_volumes');
    this.volumes = hasVolumes ? group.section('logical_volumes').sections() : [];
    this.checkExtents();
    for (const volume of this.volumes) {
      for (const segment of segmentsOf(volume)) {
        if (segment.list('type')[0] !== 'snapshot') continue;
        this.links.add(volume.name);
        for (const name of [...segment.list('cow_store'), ...segment.list('merging_store')])
          this.snapshotStores.add(String(name));
        for (const name of segment.list('origin')) this.origins.add(String(name));
      }
    }
  }

  logicalVolumes(): LogicalVolume[] {
    return this.volumes
      .filter(({ name }) => !this.links.has(name))
      .filter((volume) => volume.list('status').includes('VISIBLE') || this.snapshotStores.has(volume.name))
      .map((volume) => this.map(volume));
  }

  private map(volume: MetadataSection): LogicalVolume {
    const segments: MappedSegment[] = [];
    const areas = segmentsOf(volume).flatMap((segment) => areasOf(segment));
    const used = [...new Set(areas.flatMap(({ volume: key }) => this.byKey.get(key)?.present ?? []))];
    const refused = (features: string): LogicalVolume => ({
      name: volume.name,
      device: undefined,
      refusal: new UnsupportedFeatureError([`${features} ${this.group.name}/${volume.name}`], 'read'),
      physicalVolumes: used,
      offsetBytes: undefined,
    });
    const reason = this.reason(volume);
    if (reason !== undefined) return refused(reason);
    let extent = 0;
    for (const segment of segmentsOf(volume)) {
      if (segment.count('start_extent') !== extent) throw this.wrong('a gap between segments', volume.name);
      segments.push(this.segment(segment, extent));
      extent += segment.count('extent_count');
    }
    const device = new MappedDevice(segments);
    return {
      name: volume.name,
      device,
      refusal: undefined,
      physicalVolumes: used,
      offsetBytes: offsetOfRun(segments),
    };
  }

  /** Why a volume cannot be opened, in words; undefined when it can. */
  private reason(volume: MetadataSection): string | undefined {
    const status = volume.list('status');
    if (this.group.list('status').includes('EXPORTED')) return 'LVM logical volume of an exported group';
    if (this.snapshotStores.has(volume.name)) return 'LVM snapshot logical volume';
    if (this.origins.has(volume.name)) return 'LVM logical volume with snapshots';
    if (!status.includes('READ') || !status.includes('WRITE')) return 'LVM read-only logical volume';
    const segments = segmentsOf(volume);
    if (segments.length === 0) throw this.wrong('a volume without segments', volume.name);
    for (const segment of segments) {
      const type = segment.text('type');
      if (type !== 'striped' && type !== 'linear') {
        return `LVM ${KIND_WORDS.get(type) ?? type} logical volume`;
      }
      for (const { volume: key } of areasOf(segment)) {
        const physical = this.byKey.get(key);
        if (physical === undefined) return 'LVM logical volume that is being moved';
        if (physical.present === undefined || physical.isFlaggedMissing)
          return `LVM logical volume without its physical volume ${physical.uuid}`;
      }
    }
    return undefined;
  }

  private segment(segment: MetadataSection, startExtent: number): MappedSegment {
    const extents = segment.count('extent_count');
    const areas = areasOf(segment);
    const lengthBytes = extents * this.extentBytes;
    const isLinear = areas.length === 1;
    const chunkBytes = isLinear ? lengthBytes : segment.count('stripe_size') * SECTOR_BYTES;
    if (extents === 0 || extents % areas.length !== 0 || chunkBytes === 0)
      throw this.wrong('the lengths of stripes', segment.name);
    if (!isLinear && this.extentBytes % chunkBytes !== 0)
      throw this.wrong('the size of stripes', segment.name);
    const stripes = areas.map((area): MappedStripe => {
      const volume = this.byKey.get(area.volume);
      if (volume?.present === undefined) throw this.wrong('an unknown physical volume', area.volume);
      const offsetBytes = volume.startBytes + area.first * this.extentBytes;
      const { device } = volume.present;
      if (offsetBytes + area.count * this.extentBytes > device.sizeBytes)
        throw this.wrong('extents outside a physical volume', area.volume);
      return { device, offsetBytes };
    });
    const startBytes = startExtent * this.extentBytes;
    if (!Number.isSafeInteger(startBytes + lengthBytes))
      throw this.wrong('the size of a volume', segment.name);
    return { startBytes, lengthBytes, chunkBytes, stripes };
  }

  /** An extent that two volumes share would be changed under one of them. */
  private checkExtents(): void {
    const used = this.volumes.flatMap(segmentsOf).flatMap((segment) => areasOf(segment));
    const sorted = used.sort((a, b) =>
      a.volume < b.volume ? -1 : a.volume > b.volume ? 1 : a.first - b.first,
    );
    for (const [index, { volume, first, count }] of sorted.entries()) {
      const known = this.byKey.get(volume);
      // The parts of mirrors, pools and the like are named like physical volumes.
      if (known === undefined) continue;
      if (first + count > known.extents) throw this.wrong('extents outside a physical volume', volume);
      const next = sorted[index + 1];
      if (next?.volume === volume && next.first < first + count)
        throw this.wrong('extents used twice', volume);
    }
  }

  private wrong(what: string, where?: string): LvmMetadataError {
    return new LvmMetadataError(what, { group: this.group.name, where });
  }
}

function segmentsOf(volume: MetadataSection): MetadataSection[] {
  return volume.sections().filter(({ name }) => /^segment\d+$/.test(name));
}

/** The stripes of a segment: `["pv0", 0, "pv1", 0]`, each as long as the segment divided by their number. */
function areasOf(segment: MetadataSection): Extents[] {
  const stripes = segment.list('stripes');
  const count = segment.count('extent_count') / Math.max(1, stripes.length / 2);
  const areas: Extents[] = [];
  for (let at = 0; at < stripes.length; at += 2) {
    const volume = stripes[at];
    const first = stripes[at + 1];
    if (typeof volume !== 'string' || typeof first !== 'number' || !Number.isSafeInteger(first) || first < 0)
      throw new LvmMetadataError('a list of stripes', { segment: segment.name });
    areas.push({ volume, first, count });
  }
  return areas;
}

function offsetOfRun(segments: readonly MappedSegment[]): number | undefined {
  const [first, ...others] = segments;
  const [stripe] = first?.stripes ?? [];
  const isRun = first !== undefined && others.length === 0 && first.stripes.length === 1;
  return isRun ? stripe?.offsetBytes : undefined;
}
