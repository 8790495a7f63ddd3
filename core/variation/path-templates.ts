import { decodeName, encodeName } from '../bytes/names';
import type { Substitution } from '../render/render-content';
import { ownValues } from './neutral';
import type { PointOfVariation } from './points-of-variation';
import { alignContents } from './substitutions';

/** A path in which the representative's own values stand: folders are named by machine-id, files by host name. */
export interface PathTemplate {
  /** As the other machine has it. */
  readonly path: string;
  readonly substitutions: readonly Substitution[];
}

/** What the path would be on another machine; undefined where nothing of the representative's own stands in it. */
export function pathOnOther(
  path: string,
  own: readonly PointOfVariation[],
  other: readonly PointOfVariation[],
): PathTemplate | undefined {
  const bytes = encodeName(path);
  const values = ownValues(path, bytes, own);
  if (values.length === 0) return undefined;
  const theirs = new Map(
    other.filter(({ isOriginal }) => !isOriginal).map(({ name, value }) => [name, value]),
  );
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { offsetBytes, lengthBytes, point } of values) {
    const value = theirs.get(point.name);
    if (value === undefined || value.includes('/')) return undefined;
    pieces.push(bytes.subarray(at, offsetBytes), Buffer.from(value, 'latin1'));
    at = offsetBytes + lengthBytes;
  }
  const replaced = Buffer.concat([...pieces, bytes.subarray(at)]);
  const aligned = alignContents(path, bytes, replaced, { left: own, right: other });
  return aligned && { path: decodeName(replaced), substitutions: aligned.substitutions };
}

/** With the representative alone: what may stand there by chance fits only machines with the same value. */
export function pathAlone(path: string, own: readonly PointOfVariation[]): Substitution[] {
  return ownValues(path, encodeName(path), own).map(({ offsetBytes, lengthBytes, point }) => ({
    offsetBytes,
    lengthBytes,
    value: point.name,
    ...(point.strength === 'word' && { fixed: true as const }),
  }));
}
