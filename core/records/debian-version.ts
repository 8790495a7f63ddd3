/**
 * Compares two Debian package versions, as `dpkg --compare-versions` does (deb-version(7)). Negative when `left` is
 * older. Never throws: what is no version is compared by the same rules.
 */
export function compareDebianVersions(left: string, right: string): number {
  const a = splitVersion(left);
  const b = splitVersion(right);
  return a.epoch - b.epoch || compareParts(a.upstream, b.upstream) || compareParts(a.revision, b.revision);
}

function splitVersion(version: string): { epoch: number; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const epoch = colon > 0 ? Number.parseInt(version.slice(0, colon), 10) : 0;
  const rest = colon > 0 ? version.slice(colon + 1) : version;
  const dash = rest.lastIndexOf('-');
  return {
    epoch: Number.isNaN(epoch) ? 0 : epoch,
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

/** Turn by turn: the text up to the next digit, by its own alphabet; then the number. */
function compareParts(left: string, right: string): number {
  let leftAt = 0;
  let rightAt = 0;
  while (leftAt < left.length || rightAt < right.length) {
    while (
      (leftAt < left.length && !isDigit(left, leftAt)) ||
      (rightAt < right.length && !isDigit(right, rightAt))
    ) {
      const order = orderOf(left, leftAt) - orderOf(right, rightAt);
      if (order !== 0) return order;
      leftAt++;
      rightAt++;
    }
    const leftEnd = endOfDigits(left, leftAt);
    const rightEnd = endOfDigits(right, rightAt);
    const order = compareNumbers(left.slice(leftAt, leftEnd), right.slice(rightAt, rightEnd));
    if (order !== 0) return order;
    [leftAt, rightAt] = [leftEnd, rightEnd];
  }
  return 0;
}

/** `~` before the end and before all else, then letters, then what is neither. A digit counts as the end of the text. */
function orderOf(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const character = text[at]!;
  if (character === '~') return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  while (isDigit(text, at)) at++;
  return at;
}

/** By length first, so that a number of any length (a date, a hash) is compared exactly. */
function compareNumbers(left: string, right: string): number {
  const a = left.replace(/^0+/, '');
  const b = right.replace(/^0+/, '');
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
