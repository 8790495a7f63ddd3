/** From when to when the update ran on either machine. */
export interface TimeWindow {
  readonly from: Date;
  readonly to: Date;
}

/** Ways in which programs write the time, each with what JavaScript reads. Seconds and finer are not needed. */
const FORMS: readonly { readonly pattern: RegExp; read(found: string): number }[] = [
  // RFC 3339, ISO 8601; date(1) -I
  {
    pattern:
      /\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)?/g,
    read: (found) =>
      parsed(
        found
          .replace(',', '.')
          .replace(/ (?=\d{2}:)/, 'T')
          .replace(/ ?(?:UTC|GMT)$/, 'Z'),
      ),
  },
  // RFC 5322: Fri, 20 Nov 2026 12:32:11 +0000
  {
    pattern: /[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}(?: (?:[+-]\d{4}|GMT|UTC))?/g,
    read: parsed,
  },
  // date(1), asctime(3): Fri Nov 20 12:32:11 UTC 2026, Fri Nov 20 12:32:11 PM UTC 2026
  {
    pattern: /[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}(?: [AP]M)?(?: [A-Z]{3,4})? \d{4}/g,
    read: (found) =>
      parsed(found.replace(/^\w+ (\w+ +\d+) (\S+)(?: [AP]M)?(?: [A-Z]+)? (\d{4})$/, '$1 $3 $2 GMT')),
  },
  // Seconds and milliseconds since the epoch.
  { pattern: /\b\d{10}\b/g, read: (found) => Number(found) * 1000 },
  { pattern: /\b\d{13}\b/g, read: Number },
  // 20261120123211, 20261120
  {
    pattern: /\b20\d{6}(?:\d{6})?\b/g,
    read: (found) =>
      parsed(
        found.replace(/^(....)(..)(..)(?:(..)(..)(..))?$/, (_, y, mo, d, h, mi, s) =>
          h === undefined ? `${y}-${mo}-${d}` : `${y}-${mo}-${d}T${h}:${mi}:${s}Z`,
        ),
      ),
  },
];

function parsed(text: string): number {
  return Date.parse(/[Z)]$|[+-]\d{2}:?\d{2}$|GMT$|^\d{4}-\d{2}-\d{2}$/.test(text) ? text : `${text}Z`);
}

const DAY_MS = 24 * 3600 * 1000;
/** The longest form. */
const REACH_BYTES = 48;

/**
 * The time that is written at this place of a text, when it is one at which the update ran: its length in bytes and
 * where it begins. Local times count too, so a day is allowed on both sides.
 */
export function dateAt(
  text: Buffer,
  at: number,
  { from, to }: TimeWindow,
): { readonly form: number; readonly offsetBytes: number; readonly lengthBytes: number } | undefined {
  const start = Math.max(0, at - REACH_BYTES);
  const near = text.subarray(start, at + REACH_BYTES).toString('latin1');
  for (const [form, { pattern, read }] of FORMS.entries()) {
    for (const match of near.matchAll(pattern)) {
      const offsetBytes = start + match.index;
      const lengthBytes = match[0].length;
      if (at < offsetBytes || at > offsetBytes + lengthBytes) continue;
      const time = read(match[0]);
      if (time >= from.getTime() - DAY_MS && time <= to.getTime() + DAY_MS)
        return { form, offsetBytes, lengthBytes };
    }
  }
  return undefined;
}
