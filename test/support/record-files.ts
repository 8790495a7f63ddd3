import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordChanges, RecordFile } from '../../core/records/record-codec';
import { codecFor } from '../../core/records/registry';

/** Bytes of the record files of a tree, by their path in it. */
export type RecordFiles = ReadonlyMap<string, Buffer>;

const FOLDERS = [
  '/etc',
  '/etc/ssl/certs',
  '/var/lib',
  '/var/lib/dpkg',
  '/var/lib/dpkg/alternatives',
  '/var/lib/dpkg/triggers',
  '/var/lib/apt',
  '/var/lib/ucf',
  '/var/cache/debconf',
];

export async function readRecordFiles(tree: string): Promise<RecordFiles> {
  const files = new Map<string, Buffer>();
  for (const folder of FOLDERS) {
    const entries = await readdir(join(tree, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`;
      if (entry.isFile() && codecFor(path)) files.set(path, await readFile(join(tree, path)));
    }
  }
  return files;
}

export function parseRecords(path: string, bytes: Uint8Array): RecordFile {
  const codec = codecFor(path);
  if (!codec) throw new Error(`No codec for ${path}.`);
  return codec.parse(bytes);
}

/** What was put and removed between two states of a record file, with the records that it depends on. */
export function recordChanges(before: RecordFile, after: RecordFile): RecordChanges {
  const isSame = (key: string, bytes: Uint8Array): boolean => {
    const old = before.records.get(key);
    return old !== undefined && Buffer.compare(old, bytes) === 0;
  };
  const removed = [...before.records.keys()].filter((key) => !after.records.has(key));
  const put = [...after.records].filter((record) => !isSame(...record)).map(([key]) => key);
  const changed = new Set([...put, ...removed]);
  const listed = new Set([...put, ...(changed.size === 0 ? [] : (after.contextOf?.(changed) ?? []))]);
  const changes = new Map<string, Uint8Array | undefined>();
  for (const [key, bytes] of after.records) if (listed.has(key)) changes.set(key, bytes);
  for (const key of removed) changes.set(key, undefined);
  return changes;
}
