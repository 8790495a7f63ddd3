import { type BlockDevice } from './block-device';
import { assertWithin } from './device-errors';

const CHUNK_BYTES = 65_536;

/** A device in memory. Chunks that were never written take no memory and read as zeros. */
export class MemoryBlockDevice implements BlockDevice {
  private readonly chunks = new Map<number, Uint8Array>();

  constructor(readonly sizeBytes: number) {}

  /** A device that holds a copy of these bytes. */
  static from(bytes: Uint8Array): MemoryBlockDevice {
    const device = new MemoryBlockDevice(bytes.length);
    device.put(0, bytes);
    return device;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    assertWithin(offsetBytes, lengthBytes, this.sizeBytes);
    const out = new Uint8Array(lengthBytes);
    for (let done = 0; done < lengthBytes;) {
      const at = offsetBytes + done;
      const within = at % CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - within, lengthBytes - done);
      const chunk = this.chunks.get(Math.floor(at / CHUNK_BYTES));
      if (chunk !== undefined) {
        out.set(chunk.subarray(within, within + length), done);
      }
      done += length;
    }
    return out;
  }

  async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    assertWithin(offsetBytes, bytes.length, this.sizeBytes);
    this.put(offsetBytes, bytes);
  }

  private put(offsetBytes: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = offsetBytes + done;
      const index = Math.floor(at / CHUNK_BYTES);
      const within = at % CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - within, bytes.length - done);
      let chunk = this.chunks.get(index);
      if (chunk === undefined) {
        chunk = new Uint8Array(CHUNK_BYTES);
        this.chunks.set(index, chunk);
      }
      chunk.set(bytes.subarray(done, done + length), within);
      done += length;
    }
  }
}
