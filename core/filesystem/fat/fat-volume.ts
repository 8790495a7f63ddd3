import type { ByteRange, SyncReader } from '../../block-device/block-device';
import { readU16, readU32, readU8 } from '../../bytes/little-endian';
import { CorruptFilesystemError } from '../errors';
import type { FatGeometry } from './geometry';

const FIRST_CLUSTER = 2;

/** Clusters and their chains, over bytes that are there at once. */
export class FatVolume {
  constructor(
    readonly source: SyncReader,
    readonly geometry: FatGeometry,
  ) {}

  /**
   * The bytes of a chain of clusters, in runs as long as they lie together.
   * @param mostClusters where a chain ends that is wanted no further
   * @throws CorruptFilesystemError when the chain leaves the volume or is longer than the volume
   */
  chain(first: number, mostClusters: number): ByteRange[] {
    const { clusters, clusterBytes } = this.geometry;
    const runs: { offsetBytes: number; lengthBytes: number }[] = [];
    let count = 0;
    for (let cluster = first; count < mostClusters; cluster = this.next(cluster)) {
      if (this.isEnd(cluster) && count > 0) break;
      if (cluster < FIRST_CLUSTER || cluster >= clusters + FIRST_CLUSTER)
        throw new CorruptFilesystemError('cluster outside the volume', { first, cluster, clusters });
      if (++count > clusters)
        throw new CorruptFilesystemError('a chain of clusters without an end', { first, clusters });
      const offsetBytes = this.offsetOf(cluster);
      const last = runs.at(-1);
      if (last !== undefined && last.offsetBytes + last.lengthBytes === offsetBytes)
        last.lengthBytes += clusterBytes;
      else runs.push({ offsetBytes, lengthBytes: clusterBytes });
    }
    return runs;
  }

  /** How many of the clusters [first, first + count) hold nothing. */
  freeClusters(first: number, count: number): number {
    let free = 0;
    for (let cluster = first; cluster < first + count; cluster++) if (this.next(cluster) === 0) free += 1;
    return free;
  }

  /** Where the table tells of the clusters [first, first + count). */
  tableRange(first: number, count: number): ByteRange {
    const { bits, fatOffsetBytes } = this.geometry;
    const from = Math.floor((first * bits) / 8);
    const to = Math.ceil(((first + count) * bits) / 8);
    return { offsetBytes: fatOffsetBytes + from, lengthBytes: to - from };
  }

  private offsetOf(cluster: number): number {
    const { dataOffsetBytes, clusterBytes } = this.geometry;
    return dataOffsetBytes + (cluster - FIRST_CLUSTER) * clusterBytes;
  }

  private isEnd(cluster: number): boolean {
    return cluster >= { 12: 0xff8, 16: 0xfff8, 32: 0xffffff8 }[this.geometry.bits];
  }

  /** What the table says of a cluster: the next one of its chain. */
  private next(cluster: number): number {
    const { bits, fatOffsetBytes } = this.geometry;
    if (bits === 32) return readU32(this.source.read(fatOffsetBytes + cluster * 4, 4), 0) & 0x0fffffff;
    if (bits === 16) return readU16(this.source.read(fatOffsetBytes + cluster * 2, 2), 0);
    const bytes = this.source.read(fatOffsetBytes + cluster + (cluster >>> 1), 2);
    const pair = readU8(bytes, 0) | (readU8(bytes, 1) << 8);
    return cluster & 1 ? pair >>> 4 : pair & 0xfff;
  }
}
