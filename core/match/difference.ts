/** One entry in which an image is not what a manifest expects. */
export interface Difference {
  readonly path: string;
  /** Key of the record, in a record file. */
  readonly record?: string;
  /** Digests, `absent`, or a few words. */
  readonly expected: string;
  readonly found: string;
  /** For people: one clause that says what this means. */
  readonly why: string;
}

/** Differences found, of which the first are kept; a machine of another kind may have thousands. */
export interface Differences {
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
}

/** How many are kept: what a person reads, and what a few KB hold. */
const MAX_DIFFERENCES = 100;

/** Gathers differences; `sorted()` gives them by path, so that equal machines give equal lists. */
export class DifferenceList {
  private readonly found: Difference[] = [];

  add(difference: Difference): void {
    this.found.push(difference);
  }

  sorted(): Differences {
    const key = ({ path, record = '' }: Difference): string => `${path}\0${record}`;
    const sorted = [...this.found].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
    return { differences: sorted.slice(0, MAX_DIFFERENCES), differenceCount: sorted.length };
  }
}
