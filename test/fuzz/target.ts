import type { Patch } from './mutable-image';

/** What came of one execution. Anything else than these is a find. */
export type Outcome = 'answered' | 'refused';

/** Changes by the name of what was changed: an image of the corpus, or a text. */
export type Changes = Readonly<Record<string, readonly Patch[]>>;

/** Something that takes bytes of strangers. */
export interface Target {
  readonly name: string;
  /** Reads the corpus and finds out where changes count. */
  prepare(): Promise<PreparedTarget>;
}

export interface PreparedTarget {
  /** Makes changes that follow from the seed alone. */
  mutate(seed: number): void;
  /** The changes that were made. */
  changes(): Changes;
  /** Makes given changes: those of a find. */
  apply(changes: Changes): void;
  /** @throws whatever is no error of ours: that is a find */
  execute(): Promise<Outcome>;
  /** Takes all changes back. */
  restore(): void;
}
