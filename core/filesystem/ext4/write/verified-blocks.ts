/**
 * Blocks whose checksum was verified, or renewed by ourselves, by the very bytes in memory: they never change once an
 * operation is done (PagedBytes), so that what was found of them still holds. Most operations look at the same few.
 */
export class VerifiedBlocks {
  private readonly found = new WeakMap<ArrayBufferLike, Map<number, number>>();

  /** @param purpose what the block was verified as: of whom, and of which kind */
  has(block: Uint8Array, purpose: number): boolean {
    return this.found.get(block.buffer)?.get(block.byteOffset) === purpose;
  }

  add(block: Uint8Array, purpose: number): void {
    const known = this.found.get(block.buffer);
    if (known === undefined) this.found.set(block.buffer, new Map([[block.byteOffset, purpose]]));
    else known.set(block.byteOffset, purpose);
  }
}
