import type { Outcome, PreparedTarget } from './target';

/** Far more than any execution takes; a loop without end would pass it. */
export const PATIENCE_MS = 10_000;

/** One execution: what came of it, or what was found. */
export async function executeSeed(
  target: PreparedTarget,
  seed: number,
): Promise<{ outcome: Outcome } | { find: string }> {
  target.mutate(seed);
  try {
    return await executeChanged(target);
  } finally {
    target.restore();
  }
}

export async function executeChanged(
  target: PreparedTarget,
): Promise<{ outcome: Outcome } | { find: string }> {
  const start = performance.now();
  try {
    const outcome = await target.execute();
    const took = performance.now() - start;
    return took > PATIENCE_MS ? { find: `took ${Math.round(took)} ms` } : { outcome };
  } catch (error) {
    return { find: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
