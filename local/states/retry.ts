import type { Catcher, Retrier } from './definition/definition';
import type { StatesError } from './states-error';

/** Ends the execution whatever the state says (developer guide, "Handling errors"). */
const NEVER_HANDLED = 'States.Runtime';
const NOT_IN_ALL: ReadonlySet<string> = new Set(['States.DataLimitExceeded']);

/** Whether one of the names in `ErrorEquals` stands for this error. */
export function matchesError(names: readonly string[], error: string): boolean {
  if (error === NEVER_HANDLED) return false;
  return names.some(
    (name) =>
      name === error ||
      (name === 'States.ALL' && !NOT_IN_ALL.has(error)) ||
      (name === 'States.TaskFailed' && !NOT_IN_ALL.has(error) && error !== 'States.Timeout'),
  );
}

export const catcherFor = (
  catchers: readonly Catcher[] | undefined,
  failure: StatesError,
): { catcher: Catcher; index: number } | undefined => {
  const index = (catchers ?? []).findIndex(({ ErrorEquals }) => matchesError(ErrorEquals, failure.error));
  const catcher = catchers?.[index];
  return catcher && { catcher, index };
};

/** The retries of one stay in a state: each retrier counts its own. */
export class Retries {
  private readonly used = new Map<Retrier, number>();

  constructor(
    private readonly retriers: readonly Retrier[] = [],
    private readonly random: () => number,
  ) {}

  /** Milliseconds until the next attempt, or undefined when there is none. */
  next(failure: StatesError): number | undefined {
    const retrier = this.retriers.find(({ ErrorEquals }) => matchesError(ErrorEquals, failure.error));
    if (!retrier) return undefined;
    const attempt = this.used.get(retrier) ?? 0;
    if (attempt >= (retrier.MaxAttempts ?? 3)) return undefined;
    this.used.set(retrier, attempt + 1);
    const grown = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** attempt;
    const seconds = Math.min(grown, retrier.MaxDelaySeconds ?? Infinity);
    return 1000 * (retrier.JitterStrategy === 'FULL' ? seconds * this.random() : seconds);
  }
}
