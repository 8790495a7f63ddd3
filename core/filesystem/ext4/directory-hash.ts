/** Hash versions of indexed directories; 3 to 5 are the same functions over unsigned chars. */
export const HashVersion = {
  legacy: 0,
  halfMd4: 1,
  tea: 2,
  legacyUnsigned: 3,
  halfMd4Unsigned: 4,
  teaUnsigned: 5,
  sipHash: 6,
} as const;

export interface DirectoryHash {
  readonly major: number;
  readonly minor: number;
}

const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;
/** Largest hash an entry may have: the one above marks the end of a directory for readdir. */
const HTREE_EOF = 0x7fffffff;

/**
 * Hash of one name in an indexed directory (kernel fs/ext4/hash.c is the reference; Documentation/filesystems/ext4
 * describes the tree). The lowest bit of `major` is always 0: the tree uses it to mark a run of equal hashes.
 *
 * @param version a HashVersion, already made unsigned when the superblock says so (`hashVersionOf`)
 * @returns undefined for a version that is not known
 */
export function directoryHash(
  name: Uint8Array,
  version: number,
  seed: readonly number[],
): DirectoryHash | undefined {
  const state = new Uint32Array(seed.some((word) => word !== 0) ? seed : INITIAL);
  let major: number;
  let minor = 0;
  switch (version) {
    case HashVersion.legacy:
    case HashVersion.legacyUnsigned:
      major = legacyHash(name, version === HashVersion.legacy);
      break;
    case HashVersion.halfMd4:
    case HashVersion.halfMd4Unsigned:
      for (let at = 0; at === 0 || at < name.length; at += 32) {
        if (name.length === 0) break;
        halfMd4(state, words(name, at, 8, version === HashVersion.halfMd4));
      }
      major = state[1]!;
      minor = state[2]!;
      break;
    case HashVersion.tea:
    case HashVersion.teaUnsigned:
      for (let at = 0; at < name.length; at += 16)
        tea(state, words(name, at, 4, version === HashVersion.tea));
      major = state[0]!;
      minor = state[1]!;
      break;
    default:
      return undefined;
  }
  major = (major & ~1) >>> 0;
  if (major === (HTREE_EOF << 1) >>> 0) major = ((HTREE_EOF - 1) << 1) >>> 0;
  return { major, minor };
}

function legacyHash(name: Uint8Array, signed: boolean): number {
  let previous = 0x37abe8f9;
  let hash = 0x12a3fe2d;
  for (const byte of name) {
    const character = signed ? (byte << 24) >> 24 : byte;
    let next = (previous + (hash ^ Math.imul(character, 7152373))) >>> 0;
    if (next & 0x80000000) next = (next - 0x7fffffff) >>> 0;
    previous = hash;
    hash = next;
  }
  return (hash << 1) >>> 0;
}

/** Packs up to `count` words of the rest of the name, padded with its length in every byte. */
function words(name: Uint8Array, from: number, count: number, signed: boolean): Uint32Array {
  const rest = name.length - from;
  let pad = rest | (rest << 8);
  pad |= pad << 16;
  const packed = new Uint32Array(count).fill(pad);
  const length = Math.min(rest, count * 4);
  let value = pad;
  for (let at = 0; at < length; at++) {
    const byte = name[from + at]!;
    value = (signed ? (byte << 24) >> 24 : byte) + (value << 8);
    if (at % 4 === 3) {
      packed[at >> 2] = value;
      value = pad;
    }
  }
  if (length % 4 !== 0) packed[length >> 2] = value;
  return packed;
}

const ROUND_WORDS = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [1, 3, 5, 7, 0, 2, 4, 6],
  [3, 7, 2, 6, 1, 5, 0, 4],
] as const;
const ROUND_SHIFTS = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const;
const ROUND_ADDENDS = [0, 0x5a827999, 0x6ed9eba1] as const;

/** MD4 (RFC 1320) cut to eight words of input and eight steps a round. */
function halfMd4(state: Uint32Array, input: Uint32Array): void {
  let [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
  for (let round = 0; round < 3; round++) {
    for (let step = 0; step < 8; step++) {
      const mixed = round === 0 ? d ^ (b & (c ^ d)) : round === 1 ? (b & c) + ((b ^ c) & d) : b ^ c ^ d;
      const sum = (a + mixed + input[ROUND_WORDS[round]![step]!]! + ROUND_ADDENDS[round]!) | 0;
      const shift = ROUND_SHIFTS[round]![step % 4]!;
      [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
    }
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
}

/** Tiny Encryption Algorithm, 16 cycles, keyed by the input. */
function tea(state: Uint32Array, key: Uint32Array): void {
  let sum = 0;
  let b0 = state[0]!;
  let b1 = state[1]!;
  for (let cycle = 0; cycle < 16; cycle++) {
    sum = (sum + 0x9e3779b9) | 0;
    b0 = (b0 + (((b1 << 4) + key[0]!) ^ (b1 + sum) ^ ((b1 >>> 5) + key[1]!))) >>> 0;
    b1 = (b1 + (((b0 << 4) + key[2]!) ^ (b0 + sum) ^ ((b0 >>> 5) + key[3]!))) >>> 0;
  }
  state[0] = state[0]! + b0;
  state[1] = state[1]! + b1;
}
