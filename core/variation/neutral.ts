import type { PointOfVariation } from './points-of-variation';

/** Host names and the like are looked for where configuration stands, never in what a package brings. */
const CONFIGURATION = /^\/(etc|boot|root|home|srv|opt|usr\/local|var)\//;
/** Holds only what packages bring, and a host may be called after a package. */
const PACKAGE_DATABASE = /^\/var\/lib\/dpkg\//;
/** Names that many machines share tell no machine, unless a second one proves it. */
const COMMON_NAMES = new Set([
  'localhost',
  'localhost.localdomain',
  'localdomain',
  'debian',
  'ubuntu',
  'linux',
  'root',
  'server',
  'default',
  'rootfs',
]);
/** More in one content is not configuration with a machine's values in it. */
const MOST_OCCURRENCES = 50_000;
/** Shorter words stand somewhere by chance; `db1` less so. */
const MIN_WORD_LENGTH = 4;

/** A value of the machine's own in a content. */
export interface Occurrence {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly point: PointOfVariation;
}

/**
 * A machine's own values in a content replaced by fixed tokens, so that two machines with the same settings give the same
 * bytes. What is found depends on this machine alone. Contents without any, or with far too many, are given back as they
 * are.
 */
export function neutralise(
  path: string,
  bytes: Uint8Array,
  points: readonly PointOfVariation[],
): { bytes: Uint8Array; found: string[] } {
  const { occurrences, isWhole } = searchOwnValues(path, bytes, points);
  if (occurrences.length === 0 || !isWhole) return { bytes, found: [] };
  return {
    bytes: withTokens(bytes, occurrences),
    found: [...new Set(occurrences.map(({ point }) => point.name))],
  };
}

/** The token that stands for a point of variation; a NUL on both sides keeps it apart from text. */
export function withTokens(
  bytes: Uint8Array,
  values: readonly { offsetBytes: number; lengthBytes: number; point: { name: string } }[],
): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { offsetBytes, lengthBytes, point } of values) {
    pieces.push(bytes.subarray(at, offsetBytes), Buffer.from(`\0<${point.name}>\0`, 'utf8'));
    at = offsetBytes + lengthBytes;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
}

/**
 * Where a machine's own values stand as words, in order, not overlapping; of two at one place the longer. Words that stand
 * everywhere are passed over, and names within other words, unless `careful` asks for all that may be one.
 */
export function ownValues(
  path: string,
  bytes: Uint8Array,
  points: readonly PointOfVariation[],
  options: { readonly careful?: boolean } = {},
): Occurrence[] {
  return searchOwnValues(path, bytes, points, options).occurrences;
}

/** As ownValues; not `isWhole` where the search was given up, since there are far too many. */
export function searchOwnValues(
  path: string,
  bytes: Uint8Array,
  points: readonly PointOfVariation[],
  options: { readonly careful?: boolean } = {},
): { readonly occurrences: Occurrence[]; readonly isWhole: boolean } {
  const isConfiguration = isConfigurationPath(path);
  const isWithin = ({ name }: PointOfVariation): boolean => options.careful === true && name !== 'domain';
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Occurrence[] = [];
  for (const point of points) {
    if (point.where === 'configuration' && !isConfiguration) continue;
    // In the file of the name itself, a common one is the name too.
    const isGuarded = options.careful !== true && path !== '/etc/hostname';
    if (point.strength === 'word' && isGuarded && isCommon(point.value)) continue;
    const value = Buffer.from(point.value, 'latin1');
    for (let at = buffer.indexOf(value); at >= 0; at = buffer.indexOf(value, at + 1)) {
      if (found.length >= MOST_OCCURRENCES) return { occurrences: apart(found), isWhole: false };
      if (!isWithin(point) && !standsAlone(point, buffer, at, value)) continue;
      found.push({ offsetBytes: at, lengthBytes: value.length, point });
    }
  }
  return { occurrences: apart(found), isWhole: true };
}

/** In order, without those that overlap an earlier or a longer one. */
function apart(found: Occurrence[]): Occurrence[] {
  found.sort((a, b) => a.offsetBytes - b.offsetBytes || b.lengthBytes - a.lengthBytes);
  let end = 0;
  return found.filter(({ offsetBytes, lengthBytes }) => {
    if (offsetBytes < end) return false;
    end = offsetBytes + lengthBytes;
    return true;
  });
}

function isCommon(value: string): boolean {
  const least = /\d/.test(value) ? MIN_WORD_LENGTH - 1 : MIN_WORD_LENGTH;
  return value.length < least || !/[a-z.:-]/i.test(value) || COMMON_NAMES.has(value.toLowerCase());
}

export function isConfigurationPath(path: string): boolean {
  return CONFIGURATION.test(path) && !PACKAGE_DATABASE.test(path);
}

/** What is long and random is found wherever it stands; a word only where it is one. */
export function standsAlone(point: PointOfVariation, content: Buffer, at: number, value: Buffer): boolean {
  const isLong = point.strength === 'sure' && value.length >= LEAST_RANDOM_LENGTH;
  return point.isBinary === true || isLong || isWord(content, at, value);
}

/** Half a UUID in digits. */
const LEAST_RANDOM_LENGTH = 16;

/** Whether a value stands there with no letter or digit next to it; an address also without a further number. */
function isWord(content: Buffer, at: number, value: Buffer): boolean {
  const end = at + value.length;
  if (isWordByte(content[at - 1]) || isWordByte(content[end])) return false;
  const isNumber = isDigit(value[0]) && isDigit(value[value.length - 1]);
  if (!isNumber) return true;
  return (
    !(content[at - 1] === DOT && isDigit(content[at - 2])) &&
    !(content[end] === DOT && isDigit(content[end + 1]))
  );
}

const DOT = 0x2e;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte >= 0x80;
}
