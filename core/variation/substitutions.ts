import type { Substitution } from '../render/render-content';
import { dateAt, type TimeWindow } from './dates';
import { searchOwnValues, standsAlone } from './neutral';
import type { PointOfVariation } from './points-of-variation';

/** A single letter differs by chance. */
const MIN_PROVEN_LENGTH = 2;

/** More in one content is not configuration with a machine's values in it. */
const MOST_SUBSTITUTIONS = 10_000;

export interface Aligned {
  /** On the first machine's content, in order. */
  readonly substitutions: Substitution[];
  /** Whether times at which the update ran differ as well; the first machine's stay. */
  readonly hasDates: boolean;
}

/**
 * Explains the difference between what an update wrote on two machines by their own values: where one's value stands on
 * the one side, the other's must stand on the other, and all else must be equal. Undefined when it cannot be explained.
 *
 * Where several values explain the same bytes (a host name, and the full name that begins with it), the longest is taken
 * and the others are noted: a third machine for which they disagree is not patched.
 */
export function alignContents(
  path: string,
  left: Uint8Array,
  right: Uint8Array,
  points: { readonly left: readonly PointOfVariation[]; readonly right: readonly PointOfVariation[] },
  /** Without it, times must be equal. */
  window?: TimeWindow,
): Aligned | undefined {
  const a = Buffer.from(left.buffer, left.byteOffset, left.byteLength);
  const b = Buffer.from(right.buffer, right.byteOffset, right.byteLength);
  const pairs = pairsOf(points.left, points.right);
  const found: Substitution[] = [];
  const dates: { offsetBytes: number; lengthBytes: number }[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const same = commonLength(a, i, b, j);
    const [atA, atB] = [i + same, j + same];
    if (atA === a.length && atB === b.length) break;
    if (found.length + dates.length >= MOST_SUBSTITUTIONS) return undefined;
    const explained = explain(a, b, { i, j, atA, atB }, pairs);
    if (explained === 'ambiguous') return undefined;
    if (explained !== undefined) {
      found.push(explained.substitution);
      i = explained.endA;
      j = explained.endB;
      continue;
    }
    const date = window && sameDates(a, b, { i, j, atA, atB }, window);
    if (date === undefined) return undefined;
    dates.push({ offsetBytes: date.startA, lengthBytes: date.endA - date.startA });
    i = date.endA;
    j = date.endB;
  }
  const shared = points.left.filter(({ name, value }) =>
    points.right.some((other) => other.name === name && other.value === value),
  );
  const substitutions = withSharedValues(path, a, shared, found, dates);
  return substitutions && { substitutions, hasDates: dates.length > 0 };
}

interface Pair {
  readonly point: PointOfVariation;
  readonly a: Buffer;
  readonly b: Buffer;
}

/** Values that both machines have, and that are not the same; the longest first. */
function pairsOf(left: readonly PointOfVariation[], right: readonly PointOfVariation[]): Pair[] {
  return left
    .flatMap((point) =>
      // A clone has its own values and those of its original.
      right
        .filter(({ name, value }) => name === point.name && value !== point.value)
        .filter(({ value }) => Math.min(value.length, point.value.length) >= MIN_PROVEN_LENGTH)
        .map(({ value }) => ({
          point,
          a: Buffer.from(point.value, 'latin1'),
          b: Buffer.from(value, 'latin1'),
        })),
    )
    .sort((x, y) => y.a.length + y.b.length - x.a.length - x.b.length);
}

/** Where the last equal part began on both sides, and where the sides part. */
interface Cursor {
  readonly i: number;
  readonly j: number;
  readonly atA: number;
  readonly atB: number;
}

interface Explanation {
  readonly substitution: Substitution;
  readonly endA: number;
  readonly endB: number;
}

function explain(
  a: Buffer,
  b: Buffer,
  { i, j, atA, atB }: Cursor,
  pairs: readonly Pair[],
): Explanation | 'ambiguous' | undefined {
  const readings = pairs.flatMap((pair) => {
    // The values may begin alike, so that they begin before the place where the sides part.
    const back = Math.min(pair.a.length, pair.b.length, atA - i);
    for (let shift = back; shift >= 0; shift--) {
      const startA = atA - shift;
      const startB = atB - shift;
      if (startA < i || startB < j || !standsAt(a, startA, pair.a) || !standsAt(b, startB, pair.b)) continue;
      const isAlone =
        standsAlone(pair.point, a, startA, pair.a) && standsAlone(pair.point, b, startB, pair.b);
      return [
        { ...pair, startA, endA: startA + pair.a.length, startB, endB: startB + pair.b.length, isAlone },
      ];
    }
    return [];
  });
  const [longest, ...others] = readings;
  // Of two readings the longer one counts, but not in the middle of a word: then it is not sure.
  if (longest?.isAlone !== true) return undefined;
  const { startA, endA, endB } = longest;
  const or: NonNullable<Substitution['or']> = [];
  for (const other of others) {
    if (other.startA < startA || other.endA > endA) return 'ambiguous';
    const reading = Buffer.concat([a.subarray(startA, other.startA), other.b, a.subarray(other.endA, endA)]);
    if (!reading.equals(longest.b)) continue;
    or.push({ offsetBytes: other.startA, lengthBytes: other.a.length, value: other.point.name });
  }
  const isProven = longest.a.length !== longest.b.length;
  return {
    substitution: {
      offsetBytes: startA,
      lengthBytes: endA - startA,
      value: longest.point.name,
      ...(or.length > 0 && { or: or.slice(0, 20) }),
      ...(!isProven && lengthMayCount(a, startA, endA) && { sameLength: true as const }),
    },
    endA,
    endB,
  };
}

function standsAt(content: Buffer, at: number, value: Buffer): boolean {
  return (
    at + value.length <= content.length &&
    content.compare(value, 0, value.length, at, at + value.length) === 0
  );
}

/**
 * A length in front of the value (`s:5:"web01"`) or of the text that it stands in (`s:12:"http://web01"`, `10:name=web01,`),
 * or blanks that bring what follows into a column.
 */
export function lengthMayCount(content: Buffer, start: number, end: number): boolean {
  const before = content.subarray(Math.max(0, start - 12), start).toString('latin1');
  const number = /(\d+)\D{0,4}$/.exec(before)?.[1];
  if (number?.endsWith(String(end - start)) === true) return true;
  const after = content.subarray(end, end + 2).toString('latin1');
  return after === '  ' || / {2}$/.test(before) || isInCountedText(content, start, end);
}

/** How far in front of a value the text is looked for that it stands in. */
const REACH_BYTES = 1024;

/** PHP's serialize(): a length, a quote, as many bytes, a quote. Netstrings: a length, a colon, as many bytes, a comma. */
function isInCountedText(content: Buffer, start: number, end: number): boolean {
  const from = Math.max(0, start - REACH_BYTES);
  const near = content.subarray(from, start).toString('latin1');
  for (const { 0: opening, 1: digits, 2: sign, index } of near.matchAll(/(\d{1,7}):?(["':])/g)) {
    const begin = from + index + opening.length;
    const close = begin + Number(digits);
    const wanted = sign === ':' ? ',' : sign;
    if (close >= end && content[close] === wanted!.charCodeAt(0)) return true;
  }
  return false;
}

function sameDates(
  a: Buffer,
  b: Buffer,
  { i, j, atA, atB }: Cursor,
  window: TimeWindow,
): { startA: number; endA: number; endB: number } | undefined {
  const dateA = dateAt(a, atA, window);
  const dateB = dateAt(b, atB, window);
  if (dateA === undefined || dateB === undefined || dateA.form !== dateB.form) return undefined;
  const isAligned = atA - dateA.offsetBytes === atB - dateB.offsetBytes;
  if (!isAligned || dateA.offsetBytes < i || dateB.offsetBytes < j) return undefined;
  return {
    startA: dateA.offsetBytes,
    endA: dateA.offsetBytes + dateA.lengthBytes,
    endB: dateB.offsetBytes + dateB.lengthBytes,
  };
}

/**
 * Where both machines have the same value, the second one proves nothing: what is surely a machine's own is taken for it,
 * and what may be a word fits only machines with that same word.
 */
function withSharedValues(
  path: string,
  content: Buffer,
  shared: readonly PointOfVariation[],
  found: readonly Substitution[],
  dates: readonly { offsetBytes: number; lengthBytes: number }[],
): Substitution[] | undefined {
  const isTaken = takenPlaces([...found, ...dates]);
  const { occurrences, isWhole } = searchOwnValues(path, content, shared, { careful: true });
  if (!isWhole) return undefined;
  const more = occurrences
    .filter((value) => !isTaken(value))
    .map(({ offsetBytes, lengthBytes, point }): Substitution => ({
      offsetBytes,
      lengthBytes,
      value: point.name,
      ...(point.strength === 'word' && { fixed: true as const }),
      ...(lengthMayCount(content, offsetBytes, offsetBytes + lengthBytes) && { sameLength: true as const }),
    }));
  return [...found, ...more].sort((x, y) => x.offsetBytes - y.offsetBytes);
}

/** Whether a place overlaps one of these. */
export function takenPlaces(
  places: readonly { offsetBytes: number; lengthBytes: number }[],
): (place: { offsetBytes: number; lengthBytes: number }) => boolean {
  return ({ offsetBytes, lengthBytes }) =>
    places.some(
      (taken) =>
        taken.offsetBytes < offsetBytes + lengthBytes && offsetBytes < taken.offsetBytes + taken.lengthBytes,
    );
}

const STRIDE = 4096;

function commonLength(a: Buffer, i: number, b: Buffer, j: number): number {
  const most = Math.min(a.length - i, b.length - j);
  let same = 0;
  while (
    same + STRIDE <= most &&
    a.compare(b, j + same, j + same + STRIDE, i + same, i + same + STRIDE) === 0
  )
    same += STRIDE;
  while (same < most && a[i + same] === b[j + same]) same++;
  return same;
}
