import type { BlockDevice } from '../../core/block-device/block-device';
import { assertWithin } from '../../core/block-device/device-errors';

/** A change to the bytes of an image. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** An image that is changed in place and put back, over and over: no copy of it is made for an execution. */
export class MutableImage {
  private readonly undo: Patch[] = [];

  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
  ) {}

  write(offset: number, bytes: Uint8Array): void {
    const end = Math.min(offset + bytes.length, this.bytes.length);
    if (end <= offset) return;
    this.undo.push({ offset, bytes: this.bytes.slice(offset, end) });
    this.bytes.set(bytes.subarray(0, end - offset), offset);
  }

  /** What was changed since the last restore, as it is now. */
  patches(): Patch[] {
    return this.undo.map(({ offset, bytes }) => ({
      offset,
      bytes: this.bytes.slice(offset, offset + bytes.length),
    }));
  }

  restore(): void {
    for (let at = this.undo.length - 1; at >= 0; at--)
      this.bytes.set(this.undo[at]!.bytes, this.undo[at]!.offset);
    this.undo.length = 0;
  }

  /** The bytes as a device. What is written to it is undone with all else. */
  device(): BlockDevice {
    const { bytes } = this;
    return {
      sizeBytes: bytes.length,
      read: async (offsetBytes, lengthBytes) => {
        assertWithin(offsetBytes, lengthBytes, bytes.length);
        return bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
      },
      write: async (offsetBytes, written) => {
        assertWithin(offsetBytes, written.length, bytes.length);
        this.write(offsetBytes, written);
      },
    };
  }
}
