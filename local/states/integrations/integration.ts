import type { Json } from '../json';

export interface TaskCall {
  readonly signal: AbortSignal;
  /** The execution that calls. */
  readonly executionArn: string;
  /** A `.sync` integration tells what it started before it waits for its end. */
  readonly submitted: (output: Json) => void;
}

/** One thing a Task can do. Fails with a StatesError. */
export interface Integration {
  /** As in the history: resource type and resource, such as `lambda` and `invoke`. */
  readonly name: { readonly type: string; readonly resource: string };
  call(input: Json, call: TaskCall): Promise<Json>;
}

/** Finds what a Task's Resource stands for; undefined when it is not supported here. */
export interface Integrations {
  find(resource: string): Integration | undefined;
}
