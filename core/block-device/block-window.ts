import { type BlockDevice, type BlockReader, type Piece, writePieces } from './block-device';
import type { BlockMemory } from './block-memory';
import { assertWithin, DeviceRangeError, ReadOnlyDeviceError } from './device-errors';

/** True when the device can be written. */
export function isBlockDevice(device: BlockReader | BlockDevice): device is BlockDevice {
  return 'write' in device && typeof device.write === 'function';
}

/** A part of a device as a device of its own: a partition of a disk. */
export class BlockWindow implements BlockDevice {
  constructor(
    private readonly device: BlockReader | BlockDevice,
    readonly offsetBytes: number,
    readonly sizeBytes: number,
  ) {
    if (offsetBytes < 0 || sizeBytes < 0 || offsetBytes + sizeBytes > device.sizeBytes) {
      throw new DeviceRangeError(offsetBytes, sizeBytes, device.sizeBytes);
    }
  }

  get memory(): BlockMemory | undefined {
    return this.device.memory;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    return this.device.read(this.offsetBytes + offsetBytes, lengthBytes);
  }

  /** @throws ReadOnlyDeviceError when the device behind is a mere reader. */
  async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    assertWithin(offsetBytes, bytes.length, this.sizeBytes);
    if (!isBlockDevice(this.device)) {
      throw new ReadOnlyDeviceError();
    }
    return this.device.write(this.offsetBytes + offsetBytes, bytes);
  }

  /** All or none when the device behind promises that. @throws ReadOnlyDeviceError when it is a mere reader. */
  async writeAll(pieces: readonly Piece[]): Promise<void> {
    for (const { offsetBytes, bytes } of pieces) assertWithin(offsetBytes, bytes.length, this.sizeBytes);
    if (!isBlockDevice(this.device)) {
      throw new ReadOnlyDeviceError();
    }
    const moved = pieces.map(({ offsetBytes, bytes }) => ({
      offsetBytes: this.offsetBytes + offsetBytes,
      bytes,
    }));
    return writePieces(this.device, moved);
  }
}
