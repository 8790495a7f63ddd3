import type { Clock } from '../clock';
import { StatesError } from './states-error';

/** The promise, or the signal's reason as soon as it is aborted. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/**
 * Runs the work for at most so many seconds; its signal is aborted when they are over.
 * @throws what `tooLate` makes, by default StatesError States.Timeout
 */
export async function withDeadline<T>(
  seconds: number | undefined,
  clock: Clock,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  tooLate: () => Error = () => new StatesError('States.Timeout'),
): Promise<T> {
  if (seconds === undefined) return work(outer);
  const late = new AbortController();
  const done = new AbortController();
  const deadline = clock.sleep(seconds * 1000, done.signal).then(() => {
    const timeout = tooLate();
    late.abort(timeout);
    throw timeout;
  });
  try {
    return await Promise.race([work(AbortSignal.any([outer, late.signal])), deadline]);
  } finally {
    done.abort();
  }
}

/**
 * Runs all jobs, at most so many at once (0 = all). The first failure aborts the others and is what the whole fails
 * with, once all have ended.
 */
export async function runTogether<T>(
  jobs: readonly ((signal: AbortSignal) => Promise<T>)[],
  concurrency: number,
  outer: AbortSignal,
): Promise<T[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < jobs.length && !signal.aborted) {
      const index = next++;
      const job = jobs[index] as (signal: AbortSignal) => Promise<T>;
      try {
        results[index] = await job(signal);
      } catch (error) {
        failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs.length, concurrency || jobs.length) }, worker));
  outer.throwIfAborted();
  failed.signal.throwIfAborted();
  return results;
}
