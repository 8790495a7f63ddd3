/** What several runs of one thing took, and what it counted in the last of them. */
export interface Samples {
  readonly milliseconds: readonly number[];
  readonly counted: Readonly<Record<string, number>>;
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  if (middle === undefined) throw new RangeError('there is no median of nothing');
  return sorted.length % 2 === 1 ? middle : (middle + (sorted[(sorted.length >> 1) - 1] ?? middle)) / 2;
}

/** One thing to be measured. `prepare` makes what it works on and is not timed. */
export interface Benchmark {
  readonly name: string;
  readonly what: string;
  readonly runs: number;
  prepare?(): Promise<void>;
  /** `milliseconds` among what it counts stands for what was timed: of a process, without its start. */
  run(): Promise<Readonly<Record<string, number>>>;
  /** Counts what the last run left; not timed. */
  count?(): Promise<Readonly<Record<string, number>>>;
}

/**
 * Takes turns: run one of each, then run two of each. What else the machine does meanwhile then falls on all alike, and
 * ratios hold where times do not.
 */
export async function measure(
  benchmarks: readonly Benchmark[],
  tell: (line: string) => void,
): Promise<Map<string, Samples>> {
  const times = new Map(benchmarks.map(({ name }) => [name, [] as number[]]));
  const counts = new Map<string, Readonly<Record<string, number>>>();
  const turns = Math.max(...benchmarks.map(({ runs }) => runs));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const benchmark of benchmarks.filter(({ runs }) => turn < runs)) {
      await benchmark.prepare?.();
      const started = performance.now();
      const counted = await benchmark.run();
      const took = counted.milliseconds ?? performance.now() - started;
      times.get(benchmark.name)?.push(took);
      counts.set(benchmark.name, { ...counted, ...(await benchmark.count?.()) });
      tell(`${benchmark.name}, run ${turn + 1} of ${benchmark.runs}: ${took.toFixed(0)} ms`);
    }
  }
  return new Map(
    [...times].map(([name, milliseconds]) => [name, { milliseconds, counted: counts.get(name) ?? {} }]),
  );
}
