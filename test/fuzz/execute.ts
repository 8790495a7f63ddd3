import type { Outcome, PreparedTarget } from './target';

/** Of the processor's time: far more than any execution takes; a loop without end would pass it. */
const PATIENCE_MS = 10_000;

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
  const start = process.cpuUsage();
  try {
    const outcome = await target.execute();
    const { user, system } = process.cpuUsage(start);
    const tookMs = (user + system) / 1000;
    return tookMs > PATIENCE_MS ? { find: `took ${Math.round(tookMs)} ms` } : { outcome };
  } catch (error) {
    return { find: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
