/** Runs of blocks with one writer: `[first index, count, writer]`. The form of a block map on disk. */
export type BlockRuns = readonly (readonly [first: number, count: number, writer: string])[];

/**
 * Which 512 KiB blocks of a snapshot were ever written, and by which snapshot each was last written. Two snapshots of
 * one lineage differ in exactly the blocks whose writers differ, whatever the bytes are: "written since" is what
 * ListChangedBlocks answers.
 */
export class BlockMap {
  private constructor(private readonly writers: Map<number, string>) {}

  static empty(): BlockMap {
    return new BlockMap(new Map());
  }

  static fromRuns(runs: BlockRuns): BlockMap {
    const map = BlockMap.empty();
    for (const [first, count, writer] of runs)
      for (let index = first; index < first + count; index += 1) map.writers.set(index, writer);
    return map;
  }

  copy(): BlockMap {
    return new BlockMap(new Map(this.writers));
  }

  get size(): number {
    return this.writers.size;
  }

  has(index: number): boolean {
    return this.writers.has(index);
  }

  set(index: number, writer: string): void {
    this.writers.set(index, writer);
  }

  /** Indexes in ascending order. */
  indexes(): number[] {
    return [...this.writers.keys()].sort((a, b) => a - b);
  }

  /** Indexes written by other snapshots in the two, ascending. */
  differences(other: BlockMap): number[] {
    const all = new Set([...this.writers.keys(), ...other.writers.keys()]);
    return [...all]
      .filter((index) => this.writers.get(index) !== other.writers.get(index))
      .sort((a, b) => a - b);
  }

  toRuns(): BlockRuns {
    const runs: [number, number, string][] = [];
    for (const index of this.indexes()) {
      const writer = this.writers.get(index) ?? '';
      const last = runs.at(-1);
      if (last && last[0] + last[1] === index && last[2] === writer) last[1] += 1;
      else runs.push([index, 1, writer]);
    }
    return runs;
  }
}
