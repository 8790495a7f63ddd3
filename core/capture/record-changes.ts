import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import { readEntry } from '../footprint/read-entry';
import type { Image } from '../image/image';
import type { OperationOf } from '../manifest/manifest-schema';
import { LARGEST_RECORD_FILE_BYTES, parseRecordFile, readRecordFile } from '../records/read-record-file';
import type { RecordCodec, RecordFile } from '../records/record-codec';
import { RecordFormatError } from '../records/record-errors';
import { originalOf } from './backup-record-files';
import type { ChangedPath } from './changed-paths';
import { metadataOf } from './plan-operations';

export type RecordChange =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'records';
      readonly operation: OperationOf<'put-record'>;
      /** Bytes of the records put, by digest. */
      readonly contents: ReadonlyMap<Digest, Uint8Array>;
      /** Bytes that the records had before, by key. */
      readonly befores: ReadonlyMap<string, Uint8Array>;
    }
  /** Not a record file on both sides, or one that changed in more than records. */
  | { readonly kind: 'whole-file' };

/** Compares a record file record by record, so that machines with other records besides can still be patched. */
export async function recordChangeOf(
  before: Image,
  after: Image,
  changed: ChangedPath,
  codecFor: (path: string) => RecordCodec | undefined,
): Promise<RecordChange> {
  const { path } = changed;
  const codec = codecFor(path);
  if (codec === undefined || changed.after === undefined || !isPlainFile(changed.after)) return WHOLE_FILE;
  const fileAfter = await parsed(after, path, codec);
  if (fileAfter === undefined) return WHOLE_FILE;
  const entryAfter = await readEntry(after, path, changed.after, { content: 'skip' });
  const common = { kind: 'put-record', path, codec: codec.name, metadata: metadataOf(entryAfter) } as const;

  const original = originalOf(path);
  if (original !== undefined && codecFor(original)?.name === codec.name) {
    const originalAfter = await parsed(after, original, codec);
    if (originalAfter !== undefined && sameRemainder(originalAfter, fileAfter)) {
      const { records, contents } = difference(originalAfter, fileAfter);
      const operation = {
        ...common,
        copyOf: original,
        before: 'any',
        after: entryAfter.digest,
        records,
      } as const;
      return { kind: 'records', operation, contents, befores: new Map() };
    }
  }

  const old = await recordsBefore(before, changed, codec);
  if (old === undefined || !sameRemainder(old.file, fileAfter)) return WHOLE_FILE;
  const { records, contents } = difference(old.file, fileAfter);
  if (records.length === 0 && old.digest === entryAfter.digest) return { kind: 'none' };
  const operation = { ...common, before: old.digest, after: entryAfter.digest, records };
  return { kind: 'records', operation, contents, befores: beforesOf(old.file, records) };
}

function beforesOf(
  { records }: RecordFile,
  changed: OperationOf<'put-record'>['records'],
): ReadonlyMap<string, Uint8Array> {
  return new Map(
    changed.flatMap(({ key }) => {
      const bytes = records.get(key);
      return bytes === undefined ? [] : [[key, bytes] as const];
    }),
  );
}

/** A file that was not there is one without records, where the format knows such a file: other machines may have theirs. */
async function recordsBefore(
  before: Image,
  { path, before: stat }: ChangedPath,
  codec: RecordCodec,
): Promise<{ file: RecordFile; digest: Digest | 'absent' } | undefined> {
  if (stat === undefined) {
    const file = await orUndefined(parseRecordFile(new Uint8Array(), codec));
    return file && { file, digest: 'absent' };
  }
  const file = isPlainFile(stat) ? await parsed(before, path, codec) : undefined;
  return file && { file, digest: (await readEntry(before, path, stat, { content: 'skip' })).digest };
}

const WHOLE_FILE: RecordChange = { kind: 'whole-file' };

function isPlainFile({ type, links, sizeBytes }: NonNullable<ChangedPath['after']>): boolean {
  return type === 'file' && links === 1 && sizeBytes <= LARGEST_RECORD_FILE_BYTES;
}

async function parsed(image: Image, path: string, codec: RecordCodec): Promise<RecordFile | undefined> {
  const stat = await image.lstat(path);
  if (stat === undefined || !isPlainFile(stat)) return undefined;
  return orUndefined(readRecordFile(image, path, codec));
}

async function orUndefined(file: Promise<RecordFile>): Promise<RecordFile | undefined> {
  try {
    return await file;
  } catch (error) {
    if (error instanceof RecordFormatError) return undefined;
    throw error;
  }
}

function sameRemainder(a: RecordFile, b: RecordFile): boolean {
  return Buffer.from(a.remainder).equals(b.remainder);
}

function difference(
  from: RecordFile,
  to: RecordFile,
): { records: OperationOf<'put-record'>['records']; contents: Map<Digest, Uint8Array> } {
  const records: OperationOf<'put-record'>['records'] = [];
  const contents = new Map<Digest, Uint8Array>();
  const isSame = (key: string, bytes: Uint8Array): boolean => {
    const old = from.records.get(key);
    return old !== undefined && Buffer.from(old).equals(bytes);
  };
  const changed = new Set([...to.records].filter((record) => !isSame(...record)).map(([key]) => key));
  for (const key of from.records.keys()) if (!to.records.has(key)) changed.add(key);
  const context = new Set(changed.size === 0 ? [] : to.contextOf?.(changed));
  for (const [key, bytes] of to.records) {
    if (!changed.has(key) && !context.has(key)) continue;
    const old = from.records.get(key);
    const after = digestOf(bytes);
    const content = to.contentOf?.(key);
    const put = content === undefined ? after : digestOf(content);
    contents.set(put, content ?? bytes);
    const before = old === undefined ? 'absent' : digestOf(old);
    records.push({ key, before, after, ...(put === after ? {} : { content: put }) });
  }
  for (const [key, bytes] of from.records) {
    if (!to.records.has(key)) records.push({ key, before: digestOf(bytes), after: 'absent' });
  }
  return { records, contents };
}
