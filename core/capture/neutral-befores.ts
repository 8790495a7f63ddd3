import { idsInRecord } from '../accounts/account-records';
import { isOwnId } from '../accounts/account-ids';
import { decodeName, encodeName } from '../bytes/names';
import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import { type Entry, readEntry } from '../footprint/read-entry';
import type { Operation, OperationOf } from '../manifest/manifest-schema';
import { readRecordFile } from '../records/read-record-file';
import type { RecordCodec, RecordFile } from '../records/record-codec';
import { RecordFormatError } from '../records/record-errors';
import { idsInAcl } from '../variation/access-control-list';
import { neutralise, withTokens } from '../variation/neutral';
import { ownerlessDigest } from '../variation/neutral-entry';
import { neutralRecord } from '../variation/neutral-record';
import { alignContents } from '../variation/substitutions';
import type { Variation } from '../variation/variation';
import type { DataPoint } from './data-point';
import type { Changes } from './read-changes';

/** Larger files are compared as they are. */
const LARGEST_ALIGNED_BYTES = 64 * 1024 * 1024;

export interface NeutralBefores {
  /** With `beforeNeutral` where the entry held the machine's own values, or belonged to an account of its own number. */
  readonly operations: Operation[];
  /** The same as the witness must have fulfilled them: with its own digests where its values explain the difference. */
  readonly there: Operation[];
}

/**
 * What other machines must have had before the update, with the representative's own values taken out. A witness proves
 * which words are values and which stand there on every machine.
 */
export async function neutralBefores(
  operations: readonly Operation[],
  changes: Pick<Changes, 'entries' | 'ownBefores' | 'recordBefores'>,
  representative: DataPoint,
  witness: DataPoint | undefined,
  codecFor: (path: string) => RecordCodec | undefined,
): Promise<NeutralBefores> {
  const entries = new Map(changes.entries.map((entry) => [entry.path, entry.before]));
  const made: Operation[] = [];
  const there: Operation[] = [];
  for (const operation of operations) {
    const compared =
      operation.kind === 'put-record' ? await recordBefores(operation) : await entryBefore(operation);
    made.push(compared.here);
    there.push(onWitness(compared.there ?? compared.here));
  }
  return { operations: made, there };

  function onWitness(operation: Operation): Operation {
    if (witness === undefined) return operation;
    const path = witness.pathOf(operation.path);
    return operation.kind === 'make-hard-link'
      ? { ...operation, path, existingPath: witness.pathOf(operation.existingPath) }
      : { ...operation, path };
  }

  async function entryBefore(
    operation: Exclude<Operation, { kind: 'put-record' }>,
  ): Promise<{ here: Operation; there?: Operation }> {
    const { path, before } = operation;
    const entry = entries.get(path);
    const isGiven = 'beforeNeutral' in operation && operation.beforeNeutral !== undefined;
    if (entry === undefined || entry.digest !== before || isGiven) return { here: operation };
    const explained = witness && (await explainedEntry(path, entry, witness));
    const neutral = explained ? explained.neutral : neutralAlone(path, entry);
    const here = neutral === undefined ? operation : withNeutral(operation, neutral);
    return explained ? { here, there: withBefore(operation, explained.digest) } : { here };
  }

  function neutralAlone(path: string, entry: Entry): Neutral | undefined {
    const bytes = changes.ownBefores.get(path);
    const { was } = representative;
    const target = entry.target && neutralise(path, encodeName(entry.target), was.points);
    const facts = {
      content: bytes === undefined ? entry.content : digestOf(neutralise(path, bytes, was.points).bytes),
      target: target ? decodeName(target.bytes) : entry.target,
    };
    const hasValues = bytes !== undefined || (target && target.found.length > 0);
    if (!hasValues && !hasOwnIds(entry)) return undefined;
    return { digest: ownerlessDigest(entry.stat, entry.xattrs, facts, was), hasValues: Boolean(hasValues) };
  }

  /** Undefined when the witness had something else there. */
  async function explainedEntry(
    path: string,
    entry: Entry,
    other: DataPoint,
  ): Promise<{ digest: Digest; neutral: Neutral | undefined } | undefined> {
    const pathThere = other.pathOf(path);
    const stat = await other.before.lstat(pathThere);
    if (stat === undefined || stat.type !== entry.stat.type) return undefined;
    const found = await readEntry(other.before, pathThere, stat);
    const { was } = representative;
    const literal = ownerlessDigest(entry.stat, entry.xattrs, entry, was);
    if (literal === ownerlessDigest(stat, found.xattrs, found, other.was)) {
      const neutral = hasOwnIds(entry) ? { digest: literal, hasValues: false } : undefined;
      return { digest: found.digest, neutral };
    }
    const bare = (one: Entry, variation: Variation): Digest =>
      ownerlessDigest(one.stat, one.xattrs, {}, variation);
    if (bare(entry, was) !== bare(found, other.was)) return undefined;
    const [here, thereBytes] = [
      await bytesOf(representative, path, entry),
      await bytesOf(other, pathThere, found),
    ];
    if (here === undefined || thereBytes === undefined) return undefined;
    const tokens = alignedTokens(path, here, thereBytes, was, other.was);
    if (tokens === undefined) return undefined;
    const facts = entry.target === undefined ? { content: digestOf(tokens) } : { target: decodeName(tokens) };
    const digest = ownerlessDigest(entry.stat, entry.xattrs, facts, was);
    return { digest: found.digest, neutral: { digest, hasValues: true } };
  }

  async function recordBefores(
    operation: OperationOf<'put-record'>,
  ): Promise<{ here: Operation; there?: Operation }> {
    if (operation.before === 'any') return { here: operation };
    const { path, codec } = operation;
    const befores = changes.recordBefores.get(path);
    const file = witness && (await recordFile(witness, witness.pathOf(path), codecFor(path)));
    const { was } = representative;
    const here: Records = [];
    const there: Records = [];
    for (const record of operation.records) {
      const bytes = befores?.get(record.key);
      if (bytes === undefined || record.before === 'absent') {
        here.push(record);
        there.push(record);
        continue;
      }
      const ids = idsInRecord(codec, bytes);
      const hasIds = [...ids.users, ...ids.groups].some(isOwnId);
      const literal = neutralRecord(path, codec, bytes, { ...was, points: [] }).digest;
      const other = file?.records.get(record.key);
      let neutral: Digest | undefined;
      let isExplained = false;
      if (witness !== undefined && other !== undefined) {
        const named = neutralRecord(path, codec, other, { ...witness.was, points: [] });
        isExplained = named.digest === literal;
        if (isExplained && hasIds) neutral = literal;
        const tokens =
          isExplained || hasIds ? undefined : alignedTokens(path, bytes, other, was, witness.was);
        if (tokens !== undefined) {
          isExplained = true;
          neutral = digestOf(tokens);
        }
      }
      if (!isExplained) {
        const alone = neutralRecord(path, codec, bytes, was);
        if (hasIds || alone.found.length > 0) neutral = alone.digest;
      }
      here.push(neutral === undefined ? record : { ...record, beforeNeutral: neutral });
      there.push(isExplained ? { ...record, before: digestOf(other!) } : here.at(-1)!);
    }
    const digest = witness && (await ownerOnWitness(operation));
    return {
      here: { ...operation, records: here },
      there: { ...operation, records: there, ...(digest && { before: digest }) },
    };
  }

  /** The digest of the witness's file, its content aside, where it is the same but for numbers of accounts. */
  async function ownerOnWitness({ path, before }: OperationOf<'put-record'>): Promise<Digest | undefined> {
    const pathThere = witness!.pathOf(path);
    const [stat, other] = [await representative.before.lstat(path), await witness!.before.lstat(pathThere)];
    if (before === 'absent' || stat === undefined || other === undefined) return undefined;
    const entry = await readEntry(representative.before, path, stat, { content: 'skip' });
    const found = await readEntry(witness!.before, pathThere, other, { content: 'skip' });
    const digestHere = ownerlessDigest(stat, entry.xattrs, {}, representative.was);
    return digestHere === ownerlessDigest(other, found.xattrs, {}, witness!.was) ? found.digest : undefined;
  }
}

type Records = OperationOf<'put-record'>['records'];

interface Neutral {
  readonly digest: Digest;
  /** Not only owners: sizes differ too then. */
  readonly hasValues: boolean;
}

function alignedTokens(
  path: string,
  here: Uint8Array,
  there: Uint8Array,
  own: Variation,
  other: Variation,
): Uint8Array | undefined {
  const aligned = alignContents(path, here, there, { left: own.points, right: other.points });
  if (aligned === undefined) return undefined;
  return withTokens(
    here,
    aligned.substitutions.map(({ offsetBytes, lengthBytes, value }) => ({
      offsetBytes,
      lengthBytes,
      point: { name: value },
    })),
  );
}

function hasOwnIds({ stat, xattrs }: Entry): boolean {
  return (
    isOwnId(stat.uid) ||
    isOwnId(stat.gid) ||
    [...xattrs].some((one) => idsInAcl(...one).some(({ id }) => isOwnId(id)))
  );
}

function withNeutral(operation: Exclude<Operation, { kind: 'put-record' }>, neutral: Neutral): Operation {
  switch (operation.kind) {
    case 'put-file':
    case 'make-symlink':
    case 'remove':
    case 'set-metadata': {
      const { beforeSizeBytes, ...rest } = operation;
      const size = neutral.hasValues || beforeSizeBytes === undefined ? {} : { beforeSizeBytes };
      return { ...rest, ...size, beforeNeutral: neutral.digest };
    }
    default:
      return operation;
  }
}

function withBefore(operation: Exclude<Operation, { kind: 'put-record' }>, before: Digest): Operation {
  const { beforeSizeBytes: _, ...rest } = operation as Operation & { beforeSizeBytes?: number };
  return { ...rest, before } as Operation;
}

async function bytesOf(
  { before }: DataPoint,
  path: string,
  { stat, target }: Entry,
): Promise<Uint8Array | undefined> {
  if (target !== undefined) return encodeName(target);
  if (stat.type !== 'file' || stat.sizeBytes > LARGEST_ALIGNED_BYTES) return undefined;
  return before.readFile(path);
}

async function recordFile(
  { before }: DataPoint,
  path: string,
  codec: RecordCodec | undefined,
): Promise<RecordFile | undefined> {
  const stat = await before.lstat(path);
  if (codec === undefined || stat?.type !== 'file') return undefined;
  try {
    return await readRecordFile(before, path, codec);
  } catch (error) {
    if (error instanceof RecordFormatError) return undefined;
    throw error;
  }
}
