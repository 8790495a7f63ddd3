import { ImageElvesError } from '../../core/errors';
import type { MutableImage } from './mutable-image';
import type { Random } from './random';
import type { Structure } from './structure';

const MOST_MUTATIONS = 5;
const EVIL_WORDS = [
  0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe,
  0xffffffff,
];

/** Changes some fields of some structures, and most often makes their checksums right again. */
export function mutate(
  image: MutableImage,
  structures: readonly (readonly Structure[])[],
  random: Random,
): void {
  const touched = new Set<Structure>();
  const isSealed = !random.onceIn(12);
  for (let count = 1 + random.below(MOST_MUTATIONS); count > 0; count--) {
    // By kind first: there is one superblock and hundreds of inodes.
    const structure = random.oneOf(random.oneOf(structures));
    mutateOne(image, structure, structures, random);
    touched.add(structure);
  }
  if (isSealed) for (const structure of touched) sealed(image, structure);
}

/** A length that was changed may leave no place for the checksum: then the structure stays without. */
function sealed(image: MutableImage, structure: Structure): void {
  try {
    structure.seal?.(image);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof ImageElvesError)) throw error;
  }
}

/** Structures by their kind, for `mutate`. */
export function byKind(structures: readonly Structure[]): Structure[][] {
  const kinds = new Map<string, Structure[]>();
  for (const structure of structures) {
    const some = kinds.get(structure.kind) ?? [];
    kinds.set(structure.kind, some);
    some.push(structure);
  }
  return [...kinds.values()];
}

function mutateOne(
  image: MutableImage,
  structure: Structure,
  structures: readonly (readonly Structure[])[],
  random: Random,
): void {
  const { offset, length } = structure;
  const at = offset + placeIn(image, structure, random);
  const left = offset + length - at;
  const width = Math.min(random.oneOf([1, 2, 4, 4, 8]), left);
  const field = Buffer.from(image.bytes.slice(at, at + width));
  switch (random.below(9)) {
    case 0:
      field[random.below(width)]! ^= 1 << random.below(8);
      break;
    case 1:
      for (let index = 0; index < width; index++) field[index] = random.below(256);
      break;
    case 2:
    case 3:
      putWord(field, random.oneOf(EVIL_WORDS), random);
      break;
    case 4:
      putWord(field, random.below(random.oneOf([64, 1024, 65_536])), random);
      break;
    case 5:
      putWord(field, (wordOf(field) + random.below(9) - 4) >>> 0, random);
      break;
    case 6: {
      // A number that leads somewhere, from another place.
      const other = random.oneOf(random.oneOf(structures));
      const from = other.offset + (random.below(Math.max(1, other.length - 8)) & ~3);
      field.set(image.bytes.subarray(from, from + width).subarray(0, width));
      break;
    }
    case 7: {
      // A whole run of another structure of its kind, or of any.
      const kind = random.onceIn(3)
        ? random.oneOf(structures)
        : structures.find((some) => some.includes(structure))!;
      const other = random.oneOf(kind);
      const run = Math.min(left, other.length, random.oneOf([16, 32, 64, 256, 4096]));
      image.write(at, image.bytes.slice(other.offset, other.offset + run));
      return;
    }
    default:
      image.write(
        at,
        new Uint8Array(Math.min(left, random.oneOf([4, 16, 64, 512]))).fill(random.oneOf([0, 0, 0xff])),
      );
      return;
  }
  image.write(at, field);
}

/** Zeros are most often no field: a place with something in it is looked for a few times. */
function placeIn(image: MutableImage, { offset, length }: Structure, random: Random): number {
  let at = 0;
  for (let tries = 0; tries < 4; tries++) {
    at = random.below(random.onceIn(2) ? Math.min(length, 128) : length);
    if (!random.onceIn(4)) at &= ~3;
    if (image.bytes[offset + at] !== 0 || image.bytes[offset + at + 1] !== 0) return at;
  }
  return at;
}

/** Little-endian or big-endian: the formats differ. */
function putWord(field: Buffer, value: number, random: Random): void {
  const isBig = random.onceIn(2);
  const { length } = field;
  if (length === 1) field[0] = value;
  else if (length < 4) field[isBig ? 'writeUInt16BE' : 'writeUInt16LE'](value & 0xffff, 0);
  else {
    if (length === 8) field.fill(0);
    field[isBig ? 'writeUInt32BE' : 'writeUInt32LE'](value, isBig ? length - 4 : 0);
  }
}

function wordOf(field: Buffer): number {
  return field.length >= 4 ? field.readUInt32LE(0) : field.readUIntLE(0, field.length);
}
