import { setAsideOwnEntries } from '../generated/set-aside';
import { readEntry } from '../footprint/read-entry';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import { examineImage } from '../match/examine-image';
import type { RecordingSummary } from '../recording/summarize-recording';
import { readRecordFile } from '../records/read-record-file';
import type { RecordCodec, RecordFile } from '../records/record-codec';
import { RecordFormatError } from '../records/record-errors';
import { ownerlessDigest } from '../variation/neutral-entry';
import { neutralRecord } from '../variation/neutral-record';
import { type ChangedPath, changedPaths, scanImage } from './changed-paths';
import type { DataPoint } from './data-point';
import { RecordedChanges } from './recorded-changes';
import { type VolatileRule, volatileRule } from './volatile-paths';

/**
 * Why the witness is no second machine of this class; undefined when it is one. It was updated as well, so this is not
 * about patching it: what it had before tells whether the update had to do the same there.
 */
export async function witnessMisfit(
  manifest: Manifest,
  there: readonly Operation[],
  { before }: DataPoint,
  codecFor: (path: string) => RecordCodec | undefined,
): Promise<string | undefined> {
  const { onlyOnline: _, accounts: __, ...asked } = manifest;
  const examined = await examineImage({ ...asked, operations: [...there] }, before, { codecFor });
  const [first] = examined.differences;
  if (first === undefined) return undefined;
  const { path, record, why } = first;
  const more = examined.differenceCount > 1 ? ` (and ${examined.differenceCount - 1} more)` : '';
  return `it was of another class: ${path}${record === undefined ? '' : ` (${record})`}: ${why}${more}`;
}

/** Paths that the update changed on the witness to something that the representative does not have after it. */
export async function changedThereOnly(
  representative: DataPoint,
  witness: DataPoint,
  /** Paths that changed on the representative: these are compared elsewhere. */
  known: ReadonlySet<string>,
  request: {
    readonly rules: readonly VolatileRule[];
    readonly recording: RecordingSummary | undefined;
    readonly codecFor: (path: string) => RecordCodec | undefined;
  },
): Promise<string[]> {
  const isVolatile = volatileRule(request.rules);
  const all = changedPaths(await scanImage(witness.before), await scanImage(witness.after));
  const { others: shared } = await setAsideOwnEntries(all, witness.before, witness.after);
  const changed = shared.filter(
    ({ path, after }) => !known.has(path) && isVolatile(path) === undefined && after?.type !== 'socket',
  );
  const { recording } = request;
  const others = recording && new RecordedChanges(recording, witness.after, changed).othersChanges(changed);
  const found: string[] = [];
  for (const change of changed) {
    if (others?.has(change.path) !== true && (await isEffect(change))) found.push(change.path);
  }
  return found;

  async function isEffect({ path, before, after }: ChangedPath): Promise<boolean> {
    const was = before && (await readEntry(witness.before, path, before));
    const is = after && (await readEntry(witness.after, path, after));
    if (was?.digest === is?.digest) return false;
    const ownStat = await representative.after.lstat(path);
    const own = ownStat && (await readEntry(representative.after, path, ownStat));
    if (own === undefined || is === undefined) return own !== undefined || is !== undefined;
    const here = ownerlessDigest(own.stat, own.xattrs, own, representative.is);
    if (here === ownerlessDigest(is.stat, is.xattrs, is, witness.is)) return false;
    return !(await hasSameRecords(path));
  }

  /** Whether every record that changed on the witness is on the representative as well. */
  async function hasSameRecords(path: string): Promise<boolean> {
    const codec = request.codecFor(path);
    if (codec === undefined) return false;
    const files = await Promise.all(
      [witness.before, witness.after, representative.after].map((image) => recordFile(image, path, codec)),
    );
    const [was, is, own] = files;
    if (was === undefined || is === undefined || own === undefined) return false;
    const keys = new Set([...was.records.keys(), ...is.records.keys()]);
    for (const key of keys) {
      const bytes = is.records.get(key);
      if (equal(was.records.get(key), bytes)) continue;
      const ours = own.records.get(key);
      if (bytes === undefined || ours === undefined) {
        if (bytes !== ours) return false;
        continue;
      }
      const there = neutralRecord(path, codec.name, bytes, witness.is).digest;
      if (there !== neutralRecord(path, codec.name, ours, representative.is).digest) return false;
    }
    return true;
  }
}

function equal(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.from(a).equals(b);
}

async function recordFile(
  image: DataPoint['before'],
  path: string,
  codec: RecordCodec,
): Promise<RecordFile | undefined> {
  if ((await image.lstat(path))?.type !== 'file') return undefined;
  try {
    return await readRecordFile(image, path, codec);
  } catch (error) {
    if (error instanceof RecordFormatError) return undefined;
    throw error;
  }
}
