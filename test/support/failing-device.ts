import type { BlockReader } from '../../core/block-device/block-device';

/** A device whose reads fail when a test says so. */
export class FailingReader implements BlockReader {
  readonly sizeBytes: number;
  private isFailing = false;
  /** Whether a read has failed since failNext. */
  hasFailed = false;

  constructor(private readonly base: BlockReader) {
    this.sizeBytes = base.sizeBytes;
  }

  /** Every read from now on fails. */
  failNext(): void {
    this.isFailing = true;
    this.hasFailed = false;
  }

  recover(): void {
    this.isFailing = false;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    if (this.isFailing) {
      this.hasFailed = true;
      throw new Error('the device fails on purpose');
    }
    return this.base.read(offsetBytes, lengthBytes);
  }
}
