import type { StepCost } from '../../core/workflow/documents';
import type { UsageMeter } from '../ebs/usage-meter';

export function stepCost(startedAt: Date, endedAt: Date, meter: UsageMeter): StepCost {
  return { startedAt: startedAt.toISOString(), endedAt: endedAt.toISOString(), calls: meter.usage() };
}

/** Adds what a later invocation of the same step cost to what earlier ones did. */
export function addCost(earlier: StepCost | undefined, later: StepCost): StepCost {
  if (earlier === undefined) return later;
  const sum = (key: keyof StepCost['calls']): number => earlier.calls[key] + later.calls[key];
  return {
    startedAt: earlier.startedAt,
    endedAt: later.endedAt,
    calls: {
      listCalls: sum('listCalls'),
      getBlocks: sum('getBlocks'),
      putBlocks: sum('putBlocks'),
      bytesRead: sum('bytesRead'),
      bytesWritten: sum('bytesWritten'),
    },
  };
}
