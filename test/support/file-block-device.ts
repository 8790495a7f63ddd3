import { open, type FileHandle } from 'node:fs/promises';
import type { BlockDevice } from '../../core/block-device/block-device';

/** An image file as a block device. Writes go straight to the file. */
export class FileBlockDevice implements BlockDevice, AsyncDisposable {
  private constructor(
    private readonly file: FileHandle,
    readonly sizeBytes: number,
  ) {}

  static async open(path: string, mode: 'r' | 'r+' = 'r'): Promise<FileBlockDevice> {
    const file = await open(path, mode);
    return new FileBlockDevice(file, (await file.stat()).size);
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    // Not cleared first: every byte is read, or it throws.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer);
    const { bytesRead } = await this.file.read(bytes, 0, lengthBytes, offsetBytes);
    if (bytesRead !== lengthBytes)
      throw new RangeError(`read ${bytesRead} of ${lengthBytes} bytes at ${offsetBytes}`);
    return bytes;
  }

  async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    await this.file.write(bytes, 0, bytes.length, offsetBytes);
  }

  /** Returns when what was written is on the disk. */
  async sync(): Promise<void> {
    await this.file.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close();
  }
}
