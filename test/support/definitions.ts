import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';

/** One state of an Amazon States Language file, as far as the tests look into it. */
export interface State {
  readonly Type: string;
  readonly Comment?: string;
  readonly Resource?: string;
  readonly Arguments?: Record<string, unknown>;
  readonly TimeoutSeconds?: number | string;
  readonly Next?: string;
  readonly Default?: string;
  readonly End?: boolean;
  readonly Error?: string;
  readonly Assign?: Record<string, unknown>;
  readonly Choices?: readonly { Condition: string; Next: string; Assign?: Record<string, unknown> }[];
  readonly Retry?: readonly { ErrorEquals: string[]; IntervalSeconds: number; MaxAttempts: number }[];
  readonly Catch?: readonly { ErrorEquals: string[]; Next: string; Assign?: Record<string, unknown> }[];
  readonly Branches?: readonly Scope[];
  readonly ItemProcessor?: Scope & { ProcessorConfig: { Mode: string; ExecutionType: string } };
}

/**
 * States that see the same variables: those of a definition, of the children of one distributed map, or of one branch of a
 * Parallel, which also sees those around it.
 */
export interface Scope {
  readonly StartAt: string;
  readonly States: Record<string, State>;
}

const folder = path.join(__dirname, '..', '..', 'statemachines');

export const definitionFiles = (): string[] =>
  readdirSync(folder).filter((file) => file.endsWith('.asl.json'));

export const definitionText = (file: string): string => readFileSync(path.join(folder, file), 'utf8');

export const definition = (file: string): Scope & { QueryLanguage: string } =>
  JSON.parse(definitionText(file)) as Scope & { QueryLanguage: string };

/** The definition's own scope and that of each map and branch in it, with a name for messages. */
export function scopesOf(file: string): { name: string; scope: Scope; around?: Scope }[] {
  const scopes: { name: string; scope: Scope; around?: Scope }[] = [];
  const add = (name: string, scope: Scope, around?: Scope): void => {
    scopes.push({ name, scope, around });
    for (const [state, { ItemProcessor, Branches = [] }] of Object.entries(scope.States)) {
      if (ItemProcessor !== undefined) add(`${name} / ${state}`, ItemProcessor);
      for (const branch of Branches) add(`${name} / ${state} / ${branch.StartAt}`, branch, scope);
    }
  };
  add(file, definition(file));
  return scopes;
}

export const allStates = (file: string): [string, State][] =>
  scopesOf(file).flatMap(({ scope }) => Object.entries(scope.States));

/** Where a state may go next, its catches included. */
export const nextOf = (state: State): string[] =>
  [
    state.Next,
    state.Default,
    ...(state.Choices ?? []).map(({ Next }) => Next),
    ...(state.Catch ?? []).map(({ Next }) => Next),
  ].filter((next) => next !== undefined);

/** Every `{% ... %}` under a value, without the marks; the states of a map's children apart, which are another scope. */
export function expressionsIn(value: unknown): string[] {
  if (typeof value === 'string') {
    return value.startsWith('{%') ? [value.slice(2, -2).trim()] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'States' ? [] : expressionsIn(inner)));
}
