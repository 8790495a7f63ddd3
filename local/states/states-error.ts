interface ErrorPlace {
  /** Where in the state the failing expression is written: `Output/v`, `Choices[0]/Condition`. */
  readonly location?: string | undefined;
  /** The state that failed first, once it is known. */
  readonly state?: string | undefined;
}

/** A failure that the language knows by name: what `Retry` and `Catch` match (Amazon States Language, "Errors"). */
export class StatesError extends Error {
  override readonly name = 'StatesError';
  readonly location: string | undefined;
  readonly state: string | undefined;

  constructor(
    readonly error: string,
    override readonly cause: string = '',
    place: ErrorPlace = {},
  ) {
    super(cause === '' ? error : `${error}: ${cause}`);
    this.location = place.location;
    this.state = place.state;
  }

  /** The same failure, told with the state it happened in. What a task reported keeps its own words. */
  in(state: string, enteredEventId: number): StatesError {
    if (this.state !== undefined) return this;
    const place = { state, location: this.location };
    if (!EXPLAINED_BY_STATE.has(this.error)) return new StatesError(this.error, this.cause, place);
    const cause = `An error occurred while executing the state '${state}' (entered at the event id #${enteredEventId}). ${this.cause}`;
    return new StatesError(this.error, cause, place);
  }
}

const EXPLAINED_BY_STATE: ReadonlySet<string> = new Set([
  'States.QueryEvaluationError',
  'States.Runtime',
  'States.NoChoiceMatched',
  'States.DataLimitExceeded',
  'States.ItemReaderFailed',
  'States.ResultWriterFailed',
]);

/** Ends an execution from outside: StopExecution, or the end of a parent. No `Catch` sees it. */
export class ExecutionStopped extends Error {
  override readonly name = 'ExecutionStopped';

  constructor(
    readonly error?: string,
    override readonly cause?: string,
  ) {
    super(cause ?? 'The execution was stopped.');
  }
}

/** What an unforeseen exception becomes: it always ends the execution, as on AWS. */
export const asStatesError = (error: unknown): StatesError =>
  error instanceof StatesError
    ? error
    : new StatesError('States.Runtime', error instanceof Error ? error.message : String(error));

/** Ends an execution that ran longer than its machine's TimeoutSeconds. */
export class ExecutionTimedOut extends Error {
  override readonly name = 'ExecutionTimedOut';
}
