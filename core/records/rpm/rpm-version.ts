/** Epoch, version and release of a package: `2:1.0-3.el9`. */
export interface RpmVersion {
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
}

/** `[epoch:]version[-release]`, as rpm and dnf write it. */
export function parseRpmVersion(text: string): RpmVersion {
  const [, epoch = '0', version = '', release = ''] = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/s.exec(text) ?? [];
  return { epoch: Number(epoch), version, release };
}

/** The epoch is written only where there is one, as rpm does. */
export function rpmVersionText({ epoch, version, release }: RpmVersion): string {
  return `${epoch === 0 ? '' : `${epoch}:`}${version}-${release}`;
}

/** Order of two versions as rpm has it (rpm-version(7)): negative when the left one is older. */
export function compareRpmVersions(left: string, right: string): number {
  const a = parseRpmVersion(left);
  const b = parseRpmVersion(right);
  return a.epoch - b.epoch || compareSegments(a.version, b.version) || compareSegments(a.release, b.release);
}

/**
 * Runs of digits and runs of letters are compared in turn; all else only parts them. `~` sorts before everything, even
 * the end; `^` after the end, and before anything else.
 */
export function compareSegments(left: string, right: string): number {
  if (left === right) return 0;
  let a = left;
  let b = right;
  for (;;) {
    a = a.replace(/^[^A-Za-z0-9~^]+/, '');
    b = b.replace(/^[^A-Za-z0-9~^]+/, '');
    const tilde = Number(b.startsWith('~')) - Number(a.startsWith('~'));
    if (tilde !== 0) return tilde;
    if (a.startsWith('~')) {
      [a, b] = [a.slice(1), b.slice(1)];
      continue;
    }
    if (a.startsWith('^') || b.startsWith('^')) {
      if (a === '' || b === '') return a === '' ? -1 : 1;
      if (!b.startsWith('^')) return -1;
      if (!a.startsWith('^')) return 1;
      [a, b] = [a.slice(1), b.slice(1)];
      continue;
    }
    if (a === '' || b === '') return Number(a !== '') - Number(b !== '');
    const digits = /^[0-9]/.test(a);
    const run = digits ? /^[0-9]+/ : /^[A-Za-z]+/;
    const own = run.exec(a)?.[0] ?? '';
    const other = run.exec(b)?.[0] ?? '';
    // Numbers are newer than letters.
    if (other === '') return digits ? 1 : -1;
    const order = digits ? compareNumbers(own, other) : compareText(own, other);
    if (order !== 0) return order;
    [a, b] = [a.slice(own.length), b.slice(other.length)];
  }
}

function compareNumbers(left: string, right: string): number {
  const a = left.replace(/^0+/, '');
  const b = right.replace(/^0+/, '');
  return a.length - b.length || compareText(a, b);
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
