import pLimit from 'p-limit';
import { effectsOf } from '../footprint/effects';
import { isSameAnswer, ReadStates } from '../footprint/read-state';
import type { Image } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import type { ManifestRead } from '../manifest/read-schema';
import type { RecordCodec } from '../records/record-codec';
import type { Variation } from '../variation/variation';
import type { Difference } from './difference';

/** Reads in flight at a time: enough to hide the latency of block reads. */
const CONCURRENT_READS = 16;
/** Names that a difference tells. */
const NAMED = 5;

/** Compares what an update read on its representative with what it would read here. */
export async function examineReads(
  { reads, operations, times, update }: Manifest,
  image: Image,
  variation: Variation,
  codecFor: (path: string) => RecordCodec | undefined,
): Promise<Difference[]> {
  if (reads === undefined) return [];
  const states = new ReadStates(image, variation, effectsOf(operations), codecFor, update.kind);
  const leftTimes = new Map(times.map(({ path, mtimeNs }) => [path, mtimeNs]));
  const limit = pLimit(CONCURRENT_READS);
  const found = await Promise.all(
    reads.map((read) =>
      limit(async () => {
        const seen = await byTime(image, states, read, leftTimes.get(read.path));
        if (seen === 'unchanged') return undefined;
        if (seen !== 'unknown') return differenceOf(read, seen.found);
        const answer = await states.stateOf(read);
        return isSameAnswer(answer, read) ? undefined : differenceOf(read, answer.state, answer.names);
      }),
    ),
  );
  return found.filter((difference) => difference !== undefined);
}

/**
 * What size and time of a package's file tell: the times are those from before the update, or those that it leaves.
 * Nothing of a machine's own stands in such a file, so that one of another size is another.
 */
async function byTime(
  image: Image,
  states: ReadStates,
  { path, unchanged }: ManifestRead,
  leftTime: string | undefined,
): Promise<'unchanged' | 'unknown' | { readonly found: string }> {
  if (unchanged === undefined) return 'unknown';
  const stat = await image.lstat(path);
  if (stat?.type !== 'file') return 'unknown';
  if (stat.sizeBytes !== unchanged.sizeBytes) return { found: `a file of ${stat.sizeBytes} bytes` };
  const time = String(stat.mtimeNs);
  if (time !== unchanged.mtimeNs && time !== leftTime) return 'unknown';
  // chmod(2) and chown(2) leave the time of a file as it was.
  const { state } = await states.stateOf({ path, kind: 'metadata' });
  return state === unchanged.metadata ? 'unchanged' : 'unknown';
}

function differenceOf(read: ManifestRead, found: string, names: readonly string[] = []): Difference {
  const { path, record, state } = read;
  const [known, here] = [new Set(read.names), new Set(names)];
  const more = names.filter((name) => !known.has(name));
  const less = [...known].filter((name) => !here.has(name));
  const listed = [
    ...more.slice(0, NAMED).map((name) => `${name} besides`),
    ...less.slice(0, NAMED).map((name) => `no ${name}`),
  ].join(', ');
  return {
    path,
    ...(record !== undefined && { record }),
    expected: state,
    found: listed === '' ? found : listed,
    why: whyOf(read, found, listed),
  };
}

function whyOf({ kind, state }: ManifestRead, found: string, listed: string): string {
  if (state === 'absent' && found !== 'absent' && listed === '')
    return kind === 'package'
      ? 'the update found this package missing, and here it is installed'
      : 'the update looked for it and found nothing, and here it is';
  if (found === 'absent' && listed === '')
    return kind === 'package'
      ? 'the update runs a program of this package, which is not installed here'
      : 'the update reads it, and it is not on this machine';
  switch (kind) {
    case 'entry':
      return 'the update reads it, and it is not the same here (content, mode, owner or attributes)';
    case 'type':
    case 'metadata':
      return 'the update looks at it, and here it is of another kind, mode or owner';
    case 'names':
    case 'listing':
      return 'the update reads what is in this directory, and here that is something else';
    case 'record':
    case 'records':
    case 'concerned':
      return 'the update reads records of it, and here they are others';
    case 'package':
      return 'the update runs a program of this package, of which another version is installed here';
    case 'packages':
      return 'the update asks for all packages, and here they are others';
  }
}
