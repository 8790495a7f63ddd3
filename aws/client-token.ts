import { createHash } from 'node:crypto';

/**
 * A token for calls that are idempotent by one: the same for the same parts, so that a retry by another process finds what
 * the first one made. 64 hexadecimal digits: the most that EBS direct documents.
 */
export function clientToken(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
