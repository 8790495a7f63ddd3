/** The strings of an ld.so.cache, as bytes in latin1. */
export interface StringTable {
  /** With a NUL after each string. */
  readonly text: string;
  /** Where a string starts in `text`. @param position its place among the strings that the table was built of */
  offsetOf(string: string, position?: number): number;
}

/** As glibc writes it before 2.33: every string in turn, again when it comes again. */
export function buildPlainStringTable(strings: readonly string[]): StringTable {
  const offsets: number[] = [];
  let sizeBytes = 0;
  for (const string of strings) {
    offsets.push(sizeBytes);
    sizeBytes += string.length + 1;
  }
  return {
    text: strings.map((string) => `${string}\0`).join(''),
    offsetOf(string, position) {
      const offset = offsets[position ?? strings.indexOf(string)];
      if (offset === undefined) throw new RangeError(`The string table has no ${JSON.stringify(string)}.`);
      return offset;
    },
  };
}

/**
 * With shared tails, as glibc writes it since 2.33 (elf/stringtable.c): strings in reverse order of their reversed bytes,
 * the longer of two with the same tail first; one that is the tail of its forerunner takes no room of its own.
 */
export function buildStringTable(strings: Iterable<string>): StringTable {
  const ordered = [...new Set(strings)].sort(compareTails);
  const offsets = new Map<string, number>();
  const parts: string[] = [];
  let sizeBytes = 0;
  let previous: string | undefined;
  for (const string of ordered) {
    if (previous !== undefined && previous.endsWith(string)) {
      offsets.set(string, (offsets.get(previous) ?? 0) + previous.length - string.length);
    } else {
      offsets.set(string, sizeBytes);
      parts.push(string, '\0');
      sizeBytes += string.length + 1;
    }
    previous = string;
  }
  return {
    text: parts.join(''),
    offsetOf(string) {
      const offset = offsets.get(string);
      if (offset === undefined) throw new RangeError(`The string table has no ${JSON.stringify(string)}.`);
      return offset;
    },
  };
}

function compareTails(left: string, right: string): number {
  const common = Math.min(left.length, right.length);
  for (let back = 1; back <= common; back++) {
    const order = right.charCodeAt(right.length - back) - left.charCodeAt(left.length - back);
    if (order !== 0) return order;
  }
  return right.length - left.length;
}
