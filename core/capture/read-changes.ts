import pLimit from 'p-limit';
import type { Digest } from '../chunk-store/chunk-store';
import { type Entry, readEntry } from '../footprint/read-entry';
import type { Stat } from '../filesystem/filesystem';
import type { Image } from '../image/image';
import type { OperationOf } from '../manifest/manifest-schema';
import type { RecordCodec } from '../records/record-codec';
import type { ChangedPath } from './changed-paths';
import { type EntryChange, type InodeChange, inodeChanges } from './entry-changes';
import { linkGroupsOf } from './link-groups';
import { recordChangeOf } from './record-changes';

/** Reads in flight at a time; each holds one piece of one file. */
const CONCURRENT_READS = 8;

export interface Changes {
  readonly entries: readonly EntryChange[];
  readonly inodes: readonly InodeChange[];
  readonly records: readonly OperationOf<'put-record'>[];
  readonly recordContents: ReadonlyMap<Digest, Uint8Array>;
}

/** Reads what may have changed, and says what did: record files by record, all else by entry and by inode. */
export async function readChanges(
  before: Image,
  after: Image,
  candidates: readonly ChangedPath[],
  codecFor: (path: string) => RecordCodec | undefined,
): Promise<Changes> {
  const limit = pLimit(CONCURRENT_READS);
  const entries: EntryChange[] = [];
  const records: OperationOf<'put-record'>[] = [];
  const recordContents = new Map<Digest, Uint8Array>();
  await Promise.all(
    candidates.map((changed) =>
      limit(async () => {
        const recordChange = await recordChangeOf(before, after, changed, codecFor);
        if (recordChange.kind === 'records') {
          records.push(recordChange.operation);
          for (const [digest, bytes] of recordChange.contents) recordContents.set(digest, bytes);
        }
        if (recordChange.kind !== 'whole-file') return;
        const { path } = changed;
        entries.push({
          path,
          before: await entryAt(before, path, changed.before),
          after: await entryAt(after, path, changed.after),
        });
      }),
    ),
  );
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
  return { entries, inodes, records, recordContents };
}

async function entryAt(image: Image, path: string, stat: Stat | undefined): Promise<Entry | undefined> {
  return stat && readEntry(image, path, stat);
}
