import { readFileSync } from 'node:fs';
import path from 'node:path';

/** One recorded answer of AWS; see test/fixtures/aws-behaviour/README.md. */
export interface Vector {
  readonly id: string;
  readonly given: string;
  readonly when: { readonly operation: string; readonly input: Record<string, unknown> };
  readonly then: {
    readonly status?: number;
    readonly code?: string;
    readonly message?: string;
    readonly reason?: string | null;
    readonly errorTypeHeader?: string;
    readonly connection?: string;
    readonly rawBody?: string;
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
    readonly fields?: Record<string, unknown>;
    readonly fixture?: Record<string, unknown>;
  };
}

export function vectorsOf(service: 'ebs' | 'ec2' | 'ssm' | 'states'): Vector[] {
  const file = path.join(__dirname, '../../fixtures/aws-behaviour', `${service}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Vector[];
}

/** What the `$names` of a vector stand for in a test. */
export type Bindings = Record<string, string>;

/** A text of a vector with its names replaced, the longest name first: `$tok0` before `$tok`. */
export function bind(text: string, bindings: Bindings): string {
  return Object.keys(bindings)
    .sort((a, b) => b.length - a.length)
    .reduce((bound, name) => bound.replaceAll(`$${name}`, bindings[name] ?? ''), text);
}

/** The same for all texts within a value. */
export function bindAll<T>(value: T, bindings: Bindings): T {
  if (typeof value === 'string') return bind(value, bindings) as T;
  if (Array.isArray(value)) return value.map((element: unknown) => bindAll(element, bindings)) as T;
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, bindAll(member as unknown, bindings)]),
    ) as T;
  return value;
}
