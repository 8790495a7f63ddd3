import { digestOf } from '../chunk-store/digest';
import type { ContentSource } from '../chunk-store/content-source';
import { readEntry } from '../footprint/read-entry';
import type { Image } from '../image/image';
import type { OperationOf } from '../manifest/manifest-schema';
import { readRecordFile } from '../records/read-record-file';
import type { RecordCodec, RecordFile } from '../records/record-codec';
import { RecordConflictError, RecordFormatError } from '../records/record-errors';
import { neutralRecord } from '../variation/neutral-record';
import type { Variation } from '../variation/variation';
import type { DifferenceList } from './difference';

type Verdict = 'before' | 'after' | 'differs';

/** Compares the records that an operation touches, and no others, with a machine's own file. */
export async function examineRecordFile(
  image: Image,
  operation: OperationOf<'put-record'>,
  list: DifferenceList,
  codecFor: (path: string) => RecordCodec | undefined,
  contents: ContentSource | undefined,
  variation: Variation,
): Promise<Verdict> {
  const { path, before, after } = operation;
  const fail = (expected: string, found: string, why: string, record?: string): Verdict => {
    list.add({ path, record, expected, found, why });
    return 'differs';
  };
  const stat = await image.lstat(path);
  if (stat !== undefined && (stat.immutable || stat.appendOnly)) {
    return fail('a changeable file', 'a protected file', 'it is protected on this machine (chattr)');
  }
  if (before === 'any') {
    return stat === undefined || stat.type === 'file'
      ? 'before'
      : fail('a file or nothing', stat.type, 'the update writes a file here');
  }
  if (stat === undefined) {
    return before === 'absent' ? 'before' : fail(before, 'absent', 'it is not on this machine');
  }
  const { digest } = await readEntry(image, path, stat, { content: 'skip' });
  if (digest !== before && digest !== after) {
    return fail(before, digest, 'its mode, owner or attributes are not those of the representative');
  }
  const file = await parsed(image, path, operation.codec, codecFor);
  if (file === undefined) {
    return fail(`a record file (${operation.codec})`, 'another format', 'it cannot be read record by record');
  }
  let verdict: Verdict = digest === after ? 'after' : 'before';
  for (const record of operation.records) {
    const bytes = file.records.get(record.key);
    const found = bytes === undefined ? 'absent' : digestOf(bytes);
    if (found === record.after) continue;
    const isBefore =
      record.beforeNeutral === undefined || bytes === undefined
        ? found === record.before
        : [variation, { ...variation, points: [] }].some(
            (one) => neutralRecord(path, operation.codec, bytes, one).digest === record.beforeNeutral,
          );
    if (isBefore) {
      if (verdict === 'after') verdict = 'before';
      continue;
    }
    const why =
      found === 'absent'
        ? 'this record is not on this machine'
        : record.before === 'absent'
          ? 'this record is on this machine already, and is not what the update makes'
          : 'this record is not what it was on the representative before the update';
    verdict = fail(record.before, found, why, record.key);
  }
  if (verdict === 'before' && contents !== undefined) {
    const conflict = await conflictOf(file, operation, contents);
    if (conflict !== undefined) return fail('room for the records', 'a conflict', conflict);
  }
  return verdict;
}

async function parsed(
  image: Image,
  path: string,
  codecName: string,
  codecFor: (path: string) => RecordCodec | undefined,
): Promise<RecordFile | undefined> {
  const codec = codecFor(path);
  if (codec?.name !== codecName) return undefined;
  try {
    return await readRecordFile(image, path, codec);
  } catch (error) {
    if (error instanceof RecordFormatError) return undefined;
    throw error;
  }
}

/** Merges for trial: a user that is new on the representative may have a number that is taken here. */
async function conflictOf(
  file: RecordFile,
  operation: OperationOf<'put-record'>,
  contents: ContentSource,
): Promise<string | undefined> {
  try {
    file.merge(await recordChanges(operation, contents));
    return undefined;
  } catch (error) {
    if (error instanceof RecordConflictError || error instanceof RecordFormatError) return error.message;
    throw error;
  }
}

/** The records of an operation, in the form that a codec merges. */
export async function recordChanges(
  operation: OperationOf<'put-record'>,
  contents: ContentSource,
): Promise<Map<string, Uint8Array | undefined>> {
  const changes = new Map<string, Uint8Array | undefined>();
  for (const { key, after, content } of operation.records) {
    changes.set(key, after === 'absent' ? undefined : await contents.get(content ?? after));
  }
  return changes;
}
