import pLimit from 'p-limit';
import type { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { SNAPSHOT_BLOCK_BYTES } from '../../core/block-device/block-device';
import { blockDigest } from '../ebs/block-checksum';
import type { SnapshotWriter } from '../ebs/snapshot-writer';
import type { DocumentStore } from '../s3/document-store';

/** Puts under way at once, and puts after which the journal is written: what a killed Lambda puts again at most. */
const CONCURRENT_PUTS = 32;
const JOURNAL_EVERY = 64;

/** Which blocks of a pending snapshot were put, with the Base64 SHA-256 of what was put. */
export interface PutJournal {
  readonly snapshotId: string;
  /** Blocks whose put may have begun: one that was put just before its invocation was killed has no digest. */
  readonly begun: readonly number[];
  readonly digests: Record<string, string>;
}

/** Raw digest by index of all that was put into this snapshot, as a journal that is whole tells. */
export async function readPutJournal(
  documents: DocumentStore,
  journalKey: string,
  snapshotId: string,
): Promise<Map<number, Buffer>> {
  return (await readJournal(documents, journalKey, snapshotId)).put;
}

/** Empty when the journal is of another snapshot, or there is none. */
async function readJournal(
  documents: DocumentStore,
  journalKey: string,
  snapshotId: string,
): Promise<{ put: Map<number, Buffer>; begun: Set<number> }> {
  const known = await documents.find<PutJournal>(journalKey);
  if (known?.snapshotId !== snapshotId) return { put: new Map(), begun: new Set() };
  const digests = Object.entries(known.digests);
  return {
    put: new Map(digests.map(([index, digest]) => [Number(index), Buffer.from(digest, 'base64')])),
    begun: new Set(known.begun),
  };
}

/** Time is up; a later invocation goes on where the journal ends. */
export class OutOfTime {
  readonly outOfTime = true;
}

/**
 * Puts every block in which an overlay differs from its base, except those that the journal says were put with the same
 * bytes, and keeps the journal in the bucket.
 *
 * @returns the raw digest of every block of the snapshot that was ever put, for CompleteSnapshot; or OutOfTime
 */
export async function putChangedBlocks(
  device: OverlayBlockDevice,
  writer: SnapshotWriter,
  documents: DocumentStore,
  journalKey: string,
  hasTime: () => boolean,
): Promise<ReadonlyMap<number, Uint8Array> | OutOfTime> {
  const { put, begun: stale } = await readJournal(documents, journalKey, writer.snapshotId);
  const begun = [...new Set([...stale, ...device.dirtyBlocks()])];
  const limit = pLimit(CONCURRENT_PUTS);
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let unwritten = 0;
  const save = async (): Promise<void> => {
    unwritten = 0;
    const digests = Object.fromEntries([...put].map(([index, digest]) => [index, digest.toString('base64')]));
    await documents.write(journalKey, { snapshotId: writer.snapshotId, begun, digests } satisfies PutJournal);
  };
  const start = (index: number, bytes: Uint8Array): void => {
    const putting = limit(async () => {
      put.set(index, await writer.put(index, bytes));
      unwritten += 1;
    })
      // Thrown below, when what was put besides is in the journal.
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(putting));
    underWay.add(putting);
  };

  await save();
  let outOfTime = false;
  for await (const { index, bytes } of device.changedBlocks()) {
    stale.delete(index);
    if (put.get(index)?.equals(blockDigest(bytes)) === true) continue;
    outOfTime = !hasTime();
    if (outOfTime || failures.length > 0) break;
    start(index, bytes);
    // Not more in memory than is on its way.
    if (underWay.size >= 2 * CONCURRENT_PUTS) await Promise.race(underWay);
    if (unwritten >= JOURNAL_EVERY) await save();
  }
  if (!outOfTime && failures.length === 0) {
    // Begun by an earlier invocation, but not changed by this one: give such a block its base content back.
    for (const index of stale) {
      const bytes = await wholeBlock(device, index);
      if (put.get(index)?.equals(blockDigest(bytes)) !== true) start(index, bytes);
    }
  }
  await Promise.all(underWay);
  await save();
  if (failures.length > 0) throw failures[0];
  return outOfTime ? new OutOfTime() : put;
}

async function wholeBlock(device: OverlayBlockDevice, index: number): Promise<Uint8Array> {
  const start = index * SNAPSHOT_BLOCK_BYTES;
  const bytes = new Uint8Array(SNAPSHOT_BLOCK_BYTES);
  bytes.set(await device.read(start, Math.min(SNAPSHOT_BLOCK_BYTES, device.sizeBytes - start)));
  return bytes;
}
