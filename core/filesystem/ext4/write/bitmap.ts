/** Bits as ext4 keeps them: bit n is bit n % 8 of byte n / 8; a set bit means used. */
export function isBitSet(bitmap: Uint8Array, bit: number): boolean {
  return (bitmap[bit >>> 3]! & (1 << (bit & 7))) !== 0;
}

export function setBits(bitmap: Uint8Array, first: number, count: number): void {
  for (let bit = first; bit < first + count;) {
    if ((bit & 7) === 0 && bit + 8 <= first + count) {
      bitmap[bit >>> 3] = 0xff;
      bit += 8;
    } else {
      bitmap[bit >>> 3]! |= 1 << (bit & 7);
      bit += 1;
    }
  }
}

export function clearBits(bitmap: Uint8Array, first: number, count: number): void {
  for (let bit = first; bit < first + count;) {
    if ((bit & 7) === 0 && bit + 8 <= first + count) {
      bitmap[bit >>> 3] = 0;
      bit += 8;
    } else {
      bitmap[bit >>> 3]! &= ~(1 << (bit & 7));
      bit += 1;
    }
  }
}

/** First clear bit in [from, end), or `end`. */
export function nextClearBit(bitmap: Uint8Array, from: number, end: number): number {
  let bit = from;
  while (bit < end) {
    const byte = bitmap[bit >>> 3]!;
    if (byte === 0xff) {
      bit = (bit | 7) + 1;
    } else if ((byte & (1 << (bit & 7))) === 0) {
      return bit;
    } else {
      bit += 1;
    }
  }
  return end;
}

/** First set bit in [from, end), or `end`. */
export function nextSetBit(bitmap: Uint8Array, from: number, end: number): number {
  let bit = from;
  while (bit < end) {
    const byte = bitmap[bit >>> 3]!;
    if (byte === 0) {
      bit = (bit | 7) + 1;
    } else if ((byte & (1 << (bit & 7))) !== 0) {
      return bit;
    } else {
      bit += 1;
    }
  }
  return end;
}

/** Number of set bits in [from, end). */
export function countSetBits(bitmap: Uint8Array, from: number, end: number): number {
  let count = 0;
  let bit = from;
  while (bit < end) {
    const set = nextSetBit(bitmap, bit, end);
    bit = nextClearBit(bitmap, set, end);
    count += bit - set;
  }
  return count;
}

export interface BitRun {
  readonly start: number;
  readonly length: number;
}

/** The runs of clear bits in [from, end), in order. */
export function* clearRuns(bitmap: Uint8Array, from: number, end: number): Generator<BitRun> {
  let bit = nextClearBit(bitmap, from, end);
  while (bit < end) {
    const stop = nextSetBit(bitmap, bit, end);
    yield { start: bit, length: stop - bit };
    bit = nextClearBit(bitmap, stop, end);
  }
}
