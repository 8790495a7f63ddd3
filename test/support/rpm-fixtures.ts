import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { dnfHistoryCodec } from '../../core/records/rpm/dnf-history';
import { rpmdbCodec } from '../../core/records/rpm/rpmdb';
import type { RecordChanges, RecordFile } from '../../core/records/record-codec';

/**
 * Databases of two real machines (rpm 4.18, dnf 4.14) before and after `dnf upgrade`: the other one has packages besides,
 * and fleet-lib because fleet-extra needs it. In `in-log`, all of the last transaction is in the write-ahead log.
 */
export type FixtureMachine = 'one-before' | 'one-after' | 'other-before' | 'other-after' | 'in-log';

export function fixtureBytes(machine: FixtureMachine, file: string): Buffer {
  return gunzipSync(readFileSync(join(__dirname, '../fixtures/records/rpm', `${machine}-${file}.gz`)));
}

export async function rpmdbOf(machine: FixtureMachine): Promise<RecordFile> {
  await rpmdbCodec.prepare?.();
  const log = machine === 'in-log' ? [['-wal', fixtureBytes(machine, 'rpmdb.sqlite-wal')] as const] : [];
  return rpmdbCodec.parse(fixtureBytes(machine, 'rpmdb.sqlite'), new Map(log));
}

export async function dnfHistoryOf(machine: FixtureMachine): Promise<RecordFile> {
  await dnfHistoryCodec.prepare?.();
  const log = fixtureBytes(machine, 'history.sqlite-wal');
  return dnfHistoryCodec.parse(
    fixtureBytes(machine, 'history.sqlite'),
    new Map(log.length > 0 ? [['-wal', log]] : []),
  );
}

/** What was put and removed from one state to another, as a capture puts it. */
export function changesBetween(before: RecordFile, after: RecordFile): RecordChanges {
  const changes = new Map<string, Uint8Array | undefined>();
  for (const key of before.records.keys()) if (!after.records.has(key)) changes.set(key, undefined);
  for (const [key, bytes] of after.records) {
    const old = before.records.get(key);
    if (!old || Buffer.compare(old, bytes) !== 0) changes.set(key, after.contentOf?.(key) ?? bytes);
  }
  return changes;
}

/** Records as text, so that a difference can be read. */
export function recordTexts({ records }: RecordFile): Record<string, string> {
  return Object.fromEntries(
    [...records]
      .map(([key, bytes]) => [key, Buffer.from(bytes).toString('latin1')] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
