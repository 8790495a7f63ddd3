/** One line of `ldconfig -p`: where the dynamic linker finds a library by name. */
export interface LibraryEntry {
  readonly soname: string;
  readonly path: string;
  /** Kind of library and architecture, FLAG_* of glibc's ldconfig.h. */
  readonly flags: number;
  /** Lowest kernel version, as in the ABI tag; 0 for none. */
  readonly osVersion: number;
  readonly hwcap: HardwareCapabilities;
}

/** What a CPU must have for this build of the library: nothing, bits of the old kind, or a glibc-hwcaps subdirectory. */
export type HardwareCapabilities =
  | { readonly kind: 'bits'; readonly high: number; readonly low: number }
  | { readonly kind: 'subdirectory'; readonly name: string; readonly isaLevel: number };

/**
 * The order of the cache (glibc, elf/cache.c): names from high to low, then the kind, then subdirectories of
 * glibc-hwcaps by name and before all else, then the most demanding build first. Entries that are equal here stay in
 * the order in which ldconfig found them.
 */
export function compareEntries(left: LibraryEntry, right: LibraryEntry): number {
  return (
    compareLibraryNames(right.soname, left.soname) ||
    (right.flags | 0) - (left.flags | 0) ||
    compareHardware(left.hwcap, right.hwcap) ||
    right.osVersion - left.osVersion
  );
}

function compareHardware(left: HardwareCapabilities, right: HardwareCapabilities): number {
  if (left.kind === 'subdirectory' && right.kind === 'subdirectory') {
    return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
  }
  if (left.kind === 'subdirectory') return -1;
  if (right.kind === 'subdirectory') return 1;
  return (
    bitCount(right.high) + bitCount(right.low) - bitCount(left.high) - bitCount(left.low) ||
    right.high - left.high ||
    right.low - left.low
  );
}

function bitCount(value: number): number {
  let count = 0;
  for (let bits = value; bits !== 0; bits &= bits - 1) count++;
  return count;
}

/** Numbers in names count as numbers, and before them comes what is no number (glibc, _dl_cache_libcmp). */
export function compareLibraryNames(left: string, right: string): number {
  let leftAt = 0;
  let rightAt = 0;
  while (leftAt < left.length) {
    const leftDigit = isDigit(left, leftAt);
    const rightDigit = isDigit(right, rightAt);
    if (leftDigit !== rightDigit) return leftDigit ? 1 : -1;
    if (leftDigit) {
      const [leftNumber, leftEnd] = numberAt(left, leftAt);
      const [rightNumber, rightEnd] = numberAt(right, rightAt);
      if (leftNumber !== rightNumber) return leftNumber - rightNumber;
      [leftAt, rightAt] = [leftEnd, rightEnd];
    } else {
      const order = codeAt(left, leftAt) - codeAt(right, rightAt);
      if (order !== 0) return order;
      leftAt++;
      rightAt++;
    }
  }
  return codeAt(left, leftAt) - codeAt(right, rightAt);
}

function isDigit(text: string, at: number): boolean {
  const code = codeAt(text, at);
  return code >= 0x30 && code <= 0x39;
}

/** glibc counts in a 32-bit int, which wraps around for very long numbers. */
function numberAt(text: string, start: number): [value: number, end: number] {
  let value = 0;
  let at = start;
  for (; isDigit(text, at); at++) value = (Math.imul(value, 10) + codeAt(text, at) - 0x30) | 0;
  return [value, at];
}

/** 0 at the end, as in C. */
function codeAt(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : 0;
}
