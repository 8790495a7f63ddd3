import { encodeName } from '../bytes/names';
import type { Operation, OperationOf } from '../manifest/manifest-schema';
import { pathAlone } from '../variation/path-templates';
import { identityWarning } from './cross-difference';
import type { DataPoint } from './data-point';
import type { Decisions } from './decisions';
import { TemplatesAlone } from './templates';

type Records = OperationOf<'put-record'>['records'];

/** What the operations of the representative put. */
export interface OperationContents {
  contentOf(operation: OperationOf<'put-file'>): Promise<Uint8Array>;
  recordOf(record: Records[number]): Uint8Array;
}

/** Makes templates of contents and paths by the representative alone. */
export function explainAlone(
  operations: readonly Operation[],
  { is, after }: DataPoint,
  contents: OperationContents,
  decisions: Decisions,
): Promise<{ operations: Operation[]; warnings: string[] }> {
  const templates = new TemplatesAlone(is.points, after.identity);
  return withOwnValues(operations.map(withOwnPath), templates, contents, decisions);

  /** What is changed under a name that may be a word is there on every machine that matches. */
  function withOwnPath(operation: Operation): Operation {
    if (operation.pathSubstitutions !== undefined) return operation;
    const isChanged = operation.before !== 'absent' && operation.after !== 'absent';
    const found = pathAlone(operation.path, is.points).filter(({ fixed }) => !isChanged || fixed !== true);
    return found.length === 0 ? operation : { ...operation, pathSubstitutions: found };
  }
}

/**
 * Makes templates of what the update wrote, by the representative alone. What is surely its own becomes a place for each
 * machine's value; what may be its own, or stand there by chance, fits no other machine.
 */
async function withOwnValues(
  operations: readonly Operation[],
  templates: TemplatesAlone,
  { contentOf, recordOf }: OperationContents,
  decisions: Decisions,
): Promise<{ operations: Operation[]; warnings: string[] }> {
  const warnings: string[] = [];
  const made: Operation[] = [];
  for (const operation of operations) made.push(await templated(operation));
  return { operations: made, warnings };

  async function templated(operation: Operation): Promise<Operation> {
    const { path } = operation;
    if (operation.kind === 'put-file' || operation.kind === 'make-symlink') {
      const content =
        operation.kind === 'put-file' ? await contentOf(operation) : encodeName(operation.target);
      const { substitutions, holdsIdentity } = templates.templateOf(path, content);
      note(path, substitutions, holdsIdentity);
      return {
        ...operation,
        ...(substitutions.length > 0 && { substitutions: [...substitutions] }),
        ...(holdsIdentity.length > 0 && { holdsIdentity: [...holdsIdentity] }),
      };
    }
    if (operation.kind !== 'put-record') return operation;
    const holds = new Set<string>();
    const names: { value: string }[] = [];
    const records = operation.records.map((record): Records[number] => {
      if (record.after === 'absent') return record;
      const { substitutions, holdsIdentity } = templates.templateOf(path, recordOf(record));
      for (const one of holdsIdentity) holds.add(one);
      if (substitutions.length === 0) return record;
      if (record.content !== undefined) {
        // What is compared of such a record is not what is put: no other bytes can be made for it.
        for (const { value } of substitutions) holds.add(value);
        return record;
      }
      names.push(...substitutions);
      return { ...record, substitutions: [...substitutions] };
    });
    note(path, names, [...holds]);
    return { ...operation, records, ...(holds.size > 0 && { holdsIdentity: [...holds] }) };
  }

  function note(path: string, substitutions: readonly { value: string }[], holds: readonly string[]): void {
    if (substitutions.length > 0) {
      const names = [...new Set(substitutions.map(({ value }) => value))].join(', ');
      decisions.add(path, 'template', `the representative's ${names} in it is surely its own`);
    }
    if (holds.length > 0) warnings.push(identityWarning(path, holds));
  }
}
