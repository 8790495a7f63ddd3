import type { Json } from './json';
import { StatesError } from './states-error';

/** The most that flows into or out of a state, as UTF-8 JSON (Step Functions service quotas). */
export const MAX_PAYLOAD_BYTES = 262_144;

/**
 * The value as JSON text.
 * @throws StatesError States.DataLimitExceeded when it is larger than a payload may be.
 */
export function payloadText(value: Json, what: string): string {
  const text = JSON.stringify(value);
  if (text.length * 3 <= MAX_PAYLOAD_BYTES) return text;
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_PAYLOAD_BYTES) return text;
  throw new StatesError(
    'States.DataLimitExceeded',
    `The ${what} has a size of ${bytes} bytes, which exceeds the maximum number of bytes service limit of ${MAX_PAYLOAD_BYTES}.`,
  );
}
