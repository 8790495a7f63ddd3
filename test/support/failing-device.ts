import {
  type BlockDevice,
  type BlockReader,
  type Piece,
  writePieces,
} from '../../core/block-device/block-device';

const MESSAGE = 'the device fails on purpose';

/** Decides which calls fail: none, the nth one from now on and those after it, and counts them. */
export class Faults {
  private left = Infinity;
  /** Calls since the last `failFrom` or `recover`. */
  calls = 0;

  /** The nth call from now (the next is 0) fails, and so does every later one until `recover`. */
  failFrom(nth: number): void {
    this.left = nth;
    this.calls = 0;
  }

  recover(): void {
    this.failFrom(Infinity);
  }

  get haveStruck(): boolean {
    return this.calls > this.left;
  }

  /** @throws when this call is one that fails */
  pass(): void {
    this.calls += 1;
    if (this.haveStruck) throw new Error(MESSAGE);
  }
}

/** True when the error, or what caused it, is that of a device that fails on purpose. */
export function isOnPurpose(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at.message.includes(MESSAGE)) return true;
  return false;
}

/** A device whose reads fail when a test says so. */
export class FailingReader implements BlockReader {
  readonly sizeBytes: number;
  readonly reads = new Faults();

  constructor(private readonly base: BlockReader) {
    this.sizeBytes = base.sizeBytes;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    this.reads.pass();
    return this.base.read(offsetBytes, lengthBytes);
  }
}

/** A device whose writes fail when a test says so, before anything of them reaches the device below. */
export class FailingWrites implements BlockDevice {
  readonly sizeBytes: number;
  readonly writes = new Faults();

  constructor(private readonly base: BlockDevice) {
    this.sizeBytes = base.sizeBytes;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    return this.base.read(offsetBytes, lengthBytes);
  }

  async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    this.writes.pass();
    return this.base.write(offsetBytes, bytes);
  }

  async writeAll(pieces: readonly Piece[]): Promise<void> {
    this.writes.pass();
    return writePieces(this.base, pieces);
  }
}
