import type { Answer, TestCloud } from './test-cloud';
import { bind, bindAll, type Bindings, type Vector } from './vector';

/** How one vector is put to the test. */
export interface Case {
  /** Brings the cloud into the vector's `given`; answers what its names stand for. */
  given?: (cloud: TestCloud) => Promise<Bindings> | Bindings;
  /** The input; default: the vector's own with its names replaced. */
  input?: (bindings: Bindings, vector: Vector) => object;
  /** The operation, when the vector names several. */
  operation?: string;
  /** Compares `then.fields` with the answer's own members, all of them, exactly. */
  fields?: boolean;
  /** Whatever is to be seen beyond status, code, texts and body. */
  check?: (answer: Answer, cloud: TestCloud, bindings: Bindings) => Promise<void> | void;
  /** The whole test, for vectors that are sequences or statements about many calls. */
  whole?: (cloud: TestCloud, vector: Vector) => Promise<void>;
}

export type Cases = Readonly<Record<string, Case>>;

/** Checks everything that the vector says in a form that a program can read. */
export function expectAnswer(answer: Answer, { then }: Vector, bindings: Bindings): void {
  const expected = bindAll(then, bindings);
  if (expected.status !== undefined) expect(answer.status).toBe(expected.status);
  if (expected.code !== undefined) expect(answer.code).toBe(expected.code);
  if (expected.message !== undefined) expect(answer.message).toBe(expected.message);
  if (expected.errorTypeHeader !== undefined)
    expect(answer.headers['x-amzn-errortype']).toBe(expected.errorTypeHeader);
  if (expected.connection === 'close') expect(answer.headers['connection']).toBe('close');
  if (expected.rawBody !== undefined) expect(answer.body).toBe(expected.rawBody);
  if (typeof expected.body === 'object' && expected.body !== null)
    expect(JSON.parse(answer.body)).toEqual(expected.body);
  if (expected.reason === null) expect(answer.body).not.toContain('"Reason"');
  if (typeof expected.reason === 'string')
    expect(JSON.parse(answer.body)).toHaveProperty('Reason', expected.reason);
  for (const [name, value] of Object.entries(expected.headers ?? {}))
    if (!value.startsWith('the same')) expect(answer.headers[name.toLowerCase()]).toBe(value);
}

/** Checks `then.fields` against an object, names replaced. */
export function expectFields(actual: unknown, { then }: Vector, bindings: Bindings): void {
  expect(actual).toMatchObject(bindAll(then.fields ?? {}, bindings));
}

/** The input of a vector with its names replaced. */
export const ownInput = (vector: Vector, bindings: Bindings): Record<string, unknown> =>
  bindAll(vector.when.input, bindings);

export const operationOf = (vector: Vector): string => bind(vector.when.operation, {});
