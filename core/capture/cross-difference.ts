import { mapRecordIds } from '../accounts/account-records';
import { encodeName } from '../bytes/names';
import { digestOf } from '../chunk-store/digest';
import { readEntry } from '../footprint/read-entry';
import type { Stat } from '../filesystem/filesystem';
import { comparableContent } from '../initramfs/initramfs-content';
import type { Operation, OperationOf } from '../manifest/manifest-schema';
import { readRecordFile } from '../records/read-record-file';
import type { RecordCodec, RecordFile } from '../records/record-codec';
import { RecordFormatError } from '../records/record-errors';
import { ownerlessDigest } from '../variation/neutral-entry';
import type { DataPoint } from './data-point';
import type { Decisions } from './decisions';
import type { OperationContents } from './explain-alone';
import type { Template, TemplatesOfTwo } from './templates';

/** Larger files must be equal. */
const LARGEST_COMPARED_BYTES = 64 * 1024 * 1024;

/** What a machine keeps while it works: what is random there is made again, or is nobody's loss. */
const STATE = /^\/(var|root|home|srv|mnt|media)\//;

export function isState(path: string): boolean {
  return STATE.test(path);
}

export interface CrossDifference {
  readonly operations: Operation[];
  readonly warnings: string[];
  readonly onlyOnline: string[];
}

export interface CrossDifferenceRequest extends OperationContents {
  readonly operations: readonly Operation[];
  readonly representative: DataPoint;
  readonly witness: DataPoint;
  readonly templates: TemplatesOfTwo;
  readonly codecFor: (path: string) => RecordCodec | undefined;
  readonly decisions: Decisions;
  /**
   * Given with a witness of another class, on which the update had other things to do: paths that it does not explain are
   * carried as they are and gathered here, with the reason, instead of being left out.
   */
  readonly unexplained?: Map<string, string>;
}

/**
 * Compares what the update did to its representative with what it did to the witness, path by path and record by record.
 * The same there: it is the update. The same but for the machines' own values: it becomes a template. Else it is random:
 * what a machine keeps while it works is left out; elsewhere the file must be, and nobody can make it offline.
 */
export async function crossDifference(request: CrossDifferenceRequest): Promise<CrossDifference> {
  return new Comparison(request).run();
}

type Verdict = 'same' | Template | { readonly random: string };

const NOT_THERE = { random: 'the update did it on one of two machines only' } as const;
const DIFFERENT = {
  random: 'the update wrote something else on the second machine, which no value of the machines explains',
} as const;

class Comparison {
  private readonly warnings: string[] = [];
  private readonly onlyOnline: string[] = [];

  constructor(private readonly request: CrossDifferenceRequest) {}

  async run(): Promise<CrossDifference> {
    const kept: Operation[] = [];
    const dropped = new Set<string>();
    for (const operation of this.request.operations) {
      const made =
        operation.kind === 'put-record' ? await this.records(operation) : await this.entry(operation);
      const isDropped =
        made === undefined || (made.kind === 'make-hard-link' && dropped.has(made.existingPath));
      if (isDropped) dropped.add(operation.path);
      else kept.push(made);
    }
    return { operations: kept, warnings: this.warnings, onlyOnline: this.onlyOnline };
  }

  private async entry(operation: Exclude<Operation, { kind: 'put-record' }>): Promise<Operation | undefined> {
    const { path } = operation;
    const verdict = await this.compareEntry(operation);
    if (verdict === 'same') return operation;
    if ('random' in verdict) {
      return this.random(path, verdict.random) ? operation : undefined;
    }
    return this.templated(operation, verdict);
  }

  private templated(operation: Operation, template: Template): Operation {
    if (operation.kind !== 'put-file' && operation.kind !== 'make-symlink') return operation;
    return { ...operation, ...this.noted(operation.path, template) };
  }

  /** The fields that a template gives an operation, and what is to be said of it. */
  private noted(
    path: string,
    { substitutions, holdsIdentity, hasDates }: Template,
  ): Pick<OperationOf<'put-file'>, 'substitutions' | 'holdsIdentity'> {
    const { decisions } = this.request;
    if (substitutions.length > 0) {
      const names = [...new Set(substitutions.map(({ value }) => value))].join(', ');
      decisions.add(path, 'template', `each machine's own ${names} stands in it`);
    }
    if (hasDates === true) decisions.add(path, 'kept', 'it says when the update ran: on the representative');
    if (holdsIdentity.length > 0) this.warnings.push(identityWarning(path, holdsIdentity));
    return {
      ...(substitutions.length > 0 && { substitutions: [...substitutions] }),
      ...(holdsIdentity.length > 0 && { holdsIdentity: [...holdsIdentity] }),
    };
  }

  /** Whether it is carried all the same. */
  private random(path: string, reason: string, record?: string): boolean {
    const { decisions, representative, unexplained } = this.request;
    if (unexplained !== undefined) {
      unexplained.set(path, reason);
      return true;
    }
    const author = representative.recorded?.(path)?.changedByUpdate;
    const what = record === undefined ? path : `${path} (${record})`;
    decisions.add(path, 'left-out', record === undefined ? reason : `${record}: ${reason}`);
    if (!isState(path)) this.onlyOnline.push(`${what} cannot be made offline: ${reason}`);
    else if (author !== 'no') this.warnings.push(`${what} is left out: ${reason}`);
    return false;
  }

  private async compareEntry(operation: Exclude<Operation, { kind: 'put-record' }>): Promise<Verdict> {
    const { path } = operation;
    const { representative, witness } = this.request;
    const stat = await witness.after.lstat(witness.pathOf(path));
    if (operation.kind === 'remove') return stat === undefined ? 'same' : NOT_THERE;
    const own = await representative.after.lstat(path);
    if (stat === undefined || own === undefined) return NOT_THERE;
    if (!(await this.isSameOwner(path, own, stat))) {
      return { random: 'its kind, mode, owner or attributes are others on the second machine' };
    }
    if (operation.kind === 'put-file') return this.compareFile(operation, stat);
    if (operation.kind !== 'make-symlink') return 'same';
    const there = await witness.after.readlink(witness.pathOf(path));
    const template = this.request.templates.templateOf(path, encodeName(operation.target), encodeName(there));
    return template ?? DIFFERENT;
  }

  private async isSameOwner(path: string, own: Stat, other: Stat): Promise<boolean> {
    const { representative, witness } = this.request;
    const here = ownerlessDigest(own, await representative.after.xattrs(path), {}, representative.is);
    return here === ownerlessDigest(other, await witness.after.xattrs(witness.pathOf(path)), {}, witness.is);
  }

  private async compareFile(operation: OperationOf<'put-file'>, stat: Stat): Promise<Verdict> {
    const { path } = operation;
    const { witness, templates, contentOf } = this.request;
    if (Math.max(stat.sizeBytes, operation.sizeBytes) > LARGEST_COMPARED_BYTES) {
      const { content } = await readEntry(witness.after, witness.pathOf(path), stat);
      if (content === operation.content) return 'same';
    }
    const [here, there] = [await contentOf(operation), await witness.after.readFile(witness.pathOf(path))];
    const unpacked = [comparableContent(path, here), comparableContent(path, there)];
    if (unpacked[0] !== undefined && unpacked[1] !== undefined && isEqual(unpacked[0], unpacked[1])) {
      return 'same';
    }
    if (here.length > LARGEST_COMPARED_BYTES || there.length > LARGEST_COMPARED_BYTES) return DIFFERENT;
    return templates.templateOf(path, here, there) ?? DIFFERENT;
  }

  private async records(operation: OperationOf<'put-record'>): Promise<Operation | undefined> {
    const { path } = operation;
    const { representative, witness } = this.request;
    const file = await this.witnessFile(path);
    const own = await representative.after.lstat(path);
    const stat = await witness.after.lstat(witness.pathOf(path));
    const isBackup = operation.copyOf !== undefined;
    if (file === undefined || own === undefined || stat === undefined) {
      return isBackup || this.random(path, NOT_THERE.random) ? operation : undefined;
    }
    if (!(await this.isSameOwner(path, own, stat))) {
      const reason = 'its mode, owner or attributes are others on the second machine';
      return this.random(path, reason) ? operation : undefined;
    }
    const records: typeof operation.records = [];
    const holds = new Set<string>();
    for (const record of operation.records) {
      const verdict = this.compareRecord(operation, record, file);
      if (verdict === 'same') {
        records.push(record);
      } else if ('random' in verdict) {
        // A backup follows its table; what stood in it a step earlier decides nothing.
        if (isBackup || this.random(path, verdict.random, record.key)) records.push(record);
      } else {
        const { holdsIdentity = [], substitutions } = this.noted(path, verdict);
        for (const one of holdsIdentity) holds.add(one);
        records.push({ ...record, ...(substitutions && { substitutions }) });
      }
    }
    if (records.length === 0 && operation.records.length > 0) return undefined;
    return {
      ...operation,
      records,
      ...(holds.size > 0 && !isBackup && { holdsIdentity: [...holds] }),
    };
  }

  private compareRecord(
    { path, codec }: OperationOf<'put-record'>,
    record: OperationOf<'put-record'>['records'][number],
    file: RecordFile,
  ): Verdict {
    const other = file.records.get(record.key);
    if (record.after === 'absent') return other === undefined ? 'same' : NOT_THERE;
    if (other === undefined) return NOT_THERE;
    const isSame = digestOf(other) === record.after;
    // What is compared of such a record is not what is put.
    if (record.content !== undefined) return isSame ? 'same' : DIFFERENT;
    const { representative, witness, templates, recordOf } = this.request;
    const inOurTerms = mapRecordIds(codec, other, (kind, id) => {
      const [theirs, ours] =
        kind === 'user'
          ? [witness.is.users, representative.is.users]
          : [witness.is.groups, representative.is.groups];
      return ours.idOf.get(theirs.nameOf.get(id) ?? '') ?? id;
    });
    return templates.templateOf(path, recordOf(record), inOurTerms) ?? DIFFERENT;
  }

  private async witnessFile(path: string): Promise<RecordFile | undefined> {
    const { witness, codecFor } = this.request;
    const codec = codecFor(path);
    const pathThere = witness.pathOf(path);
    if (codec === undefined || (await witness.after.lstat(pathThere))?.type !== 'file') return undefined;
    try {
      return await readRecordFile(witness.after, pathThere, codec);
    } catch (error) {
      if (error instanceof RecordFormatError) return undefined;
      throw error;
    }
  }
}

export function identityWarning(path: string, holds: readonly string[]): string {
  return `${path} holds the representative's ${holds.join(', ')} and fits no other machine`;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}
