import pLimit from 'p-limit';
import type { Digest } from '../chunk-store/chunk-store';
import { readEntry } from '../footprint/read-entry';
import type { Image } from '../image/image';
import type { OperationOf } from '../manifest/manifest-schema';
import type { RecordCodec } from '../records/record-codec';
import type { ChangedPath } from './changed-paths';
import type { ChangedUnit } from './companion-files';
import { type EntryChange, type InodeChange, inodeChanges } from './entry-changes';
import { KeptContents } from './kept-contents';
import { linkGroupsOf } from './link-groups';
import { recordChangeOf } from './record-changes';

/** Reads in flight at a time; each holds one piece of one file. */
const CONCURRENT_READS = 8;
/** Files of up to this size are read whole and may be kept. */
const WHOLE_BYTES = 64 * 1024 * 1024;

export interface Changes {
  readonly entries: readonly EntryChange[];
  readonly inodes: readonly InodeChange[];
  readonly records: readonly OperationOf<'put-record'>[];
  readonly recordContents: ReadonlyMap<Digest, Uint8Array>;
  /** Bytes that the records had before, by path and key. */
  readonly recordBefores: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
  /** What files held before in which the machine's own values stand. */
  readonly ownBefores: ReadonlyMap<string, Uint8Array>;
  /** New contents of files, as many as fit. */
  readonly kept: KeptContents;
}

/** Reads what may have changed, and says what did: record files by record, all else by entry and by inode. */
export async function readChanges(
  before: Image,
  after: Image,
  candidates: readonly ChangedUnit[],
  codecFor: (path: string) => RecordCodec | undefined,
  holdsOwnValues: (path: string, bytes: Uint8Array) => boolean = () => false,
): Promise<Changes> {
  const limit = pLimit(CONCURRENT_READS);
  const kept = new KeptContents();
  const entries: EntryChange[] = [];
  const records: OperationOf<'put-record'>[] = [];
  const recordContents = new Map<Digest, Uint8Array>();
  const recordBefores = new Map<string, ReadonlyMap<string, Uint8Array>>();
  const ownBefores = new Map<string, Uint8Array>();
  await Promise.all(
    candidates.toSorted(byInode).map((changed) =>
      limit(async () => {
        const recordChange = await recordChangeOf(before, after, changed, codecFor);
        if (recordChange.kind === 'records') {
          records.push(recordChange.operation);
          for (const [digest, bytes] of recordChange.contents) recordContents.set(digest, bytes);
          recordBefores.set(changed.path, recordChange.befores);
        }
        if (recordChange.kind !== 'whole-file') return;
        for (const whole of [changed, ...(changed.companions ?? [])]) entries.push(await entryChange(whole));
      }),
    ),
  );
  async function entryChange(changed: ChangedPath): Promise<EntryChange> {
    const { path } = changed;
    const onBefore = (_: Digest, bytes: Uint8Array): void => {
      if (holdsOwnValues(path, bytes)) ownBefores.set(path, new Uint8Array(bytes));
    };
    const readBefore = { onContent: onBefore, wholeBytes: WHOLE_BYTES };
    const old = changed.before && (await readEntry(before, path, changed.before, readBefore));
    const onContent = (digest: Digest, bytes: Uint8Array): void => {
      if (digest !== old?.content) kept.keep(digest, bytes);
    };
    const options = { onContent, wholeBytes: WHOLE_BYTES };
    return {
      path,
      before: old,
      after: changed.after && (await readEntry(after, path, changed.after, options)),
    };
  }
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const inodes = inodeChanges(
    new Map(entries.map((entry) => [entry.path, entry])),
    linkGroupsOf(
      before,
      entries.map((entry) => ({ path: entry.path, stat: entry.before?.stat })),
    ),
    linkGroupsOf(
      after,
      entries.map((entry) => ({ path: entry.path, stat: entry.after?.stat })),
    ),
  );
  return { entries, inodes, records, recordContents, recordBefores, ownBefores, kept };
}

/**
 * Files written one after the other mostly have inodes and blocks one after the other: in this order neighbours are read
 * while their block is in memory.
 */
function byInode(a: ChangedPath, b: ChangedPath): number {
  return (a.after ?? a.before)!.inode - (b.after ?? b.before)!.inode;
}
