import { type BlockDevice, type BlockReader, type Piece, writePieces } from '../block-device/block-device';
import type { BlockMemory } from '../block-device/block-memory';
import { isBlockDevice } from '../block-device/block-window';
import { assertWithin, ReadOnlyDeviceError } from '../block-device/device-errors';

/** Where a run of bytes of a logical volume stands. */
export interface MappedSegment {
  readonly startBytes: number;
  readonly lengthBytes: number;
  /** Bytes that follow each other on one stripe before the next stripe has its turn. */
  readonly chunkBytes: number;
  /** One for a linear segment. */
  readonly stripes: readonly MappedStripe[];
}

export interface MappedStripe {
  readonly device: BlockReader | BlockDevice;
  readonly offsetBytes: number;
}

interface Run {
  readonly device: BlockReader | BlockDevice;
  readonly deviceOffsetBytes: number;
  readonly lengthBytes: number;
}

/** A device made of pieces of others, as the device-mapper's targets `linear` and `striped` make it. */
export class MappedDevice implements BlockDevice {
  readonly sizeBytes: number;

  /** @param segments in order, without gaps, from 0 on */
  constructor(private readonly segments: readonly MappedSegment[]) {
    const last = segments.at(-1);
    this.sizeBytes = last === undefined ? 0 : last.startBytes + last.lengthBytes;
  }

  get memory(): BlockMemory | undefined {
    return this.segments[0]?.stripes[0]?.device.memory;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    const runs = this.runs(offsetBytes, lengthBytes);
    const [only] = runs;
    if (only !== undefined && runs.length === 1) return only.device.read(only.deviceOffsetBytes, lengthBytes);
    const parts = await Promise.all(
      runs.map((run) => run.device.read(run.deviceOffsetBytes, run.lengthBytes)),
    );
    const out = new Uint8Array(lengthBytes);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  /** @throws ReadOnlyDeviceError when a device behind is a mere reader. */
  async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    return this.writeAll([{ offsetBytes, bytes }]);
  }

  /**
   * All or none as far as the devices behind promise it. On several of them what a write may have to read is read
   * before the first is written: an overlay fails on nothing else.
   */
  async writeAll(pieces: readonly Piece[]): Promise<void> {
    const byDevice = new Map<BlockDevice, Piece[]>();
    for (const { offsetBytes, bytes } of pieces) {
      assertWithin(offsetBytes, bytes.length, this.sizeBytes);
      let at = 0;
      for (const { device, deviceOffsetBytes, lengthBytes } of this.runs(offsetBytes, bytes.length)) {
        if (!isBlockDevice(device)) throw new ReadOnlyDeviceError();
        const onDevice = byDevice.get(device) ?? [];
        byDevice.set(device, onDevice);
        onDevice.push({ offsetBytes: deviceOffsetBytes, bytes: bytes.subarray(at, at + lengthBytes) });
        at += lengthBytes;
      }
    }
    if (byDevice.size > 1) {
      for (const [device, onDevice] of byDevice)
        for (const { offsetBytes, bytes } of onDevice) await device.read(offsetBytes, bytes.length);
    }
    for (const [device, onDevice] of byDevice) await writePieces(device, onDevice);
  }

  private runs(offsetBytes: number, lengthBytes: number): Run[] {
    const runs: Run[] = [];
    const end = offsetBytes + lengthBytes;
    let index = this.segmentAt(offsetBytes);
    for (let at = offsetBytes; at < end;) {
      const segment = this.segments[index]!;
      const segmentEnd = segment.startBytes + segment.lengthBytes;
      while (at < Math.min(end, segmentEnd)) {
        const run = runIn(segment, at - segment.startBytes, Math.min(end, segmentEnd) - at);
        runs.push(run);
        at += run.lengthBytes;
      }
      index += 1;
    }
    return runs;
  }

  private segmentAt(offsetBytes: number): number {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.segments[middle]!.startBytes <= offsetBytes) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function runIn({ stripes, chunkBytes }: MappedSegment, offset: number, mostBytes: number): Run {
  const within = offset % chunkBytes;
  const chunk = (offset - within) / chunkBytes;
  const { device, offsetBytes } = stripes[chunk % stripes.length]!;
  const deviceOffsetBytes = offsetBytes + Math.floor(chunk / stripes.length) * chunkBytes + within;
  return { device, deviceOffsetBytes, lengthBytes: Math.min(mostBytes, chunkBytes - within) };
}
