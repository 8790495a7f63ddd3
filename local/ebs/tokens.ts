import { createHash } from 'node:crypto';
import { invalidPageToken } from './ebs-errors';

/**
 * Names one block of one snapshot. It is bound to the snapshot it was listed for: the token of a parent is not that of a
 * child, even for the same bytes.
 */
export const blockToken = (snapshotId: string, index: number): string =>
  createHash('sha256').update(`block ${snapshotId} ${index}`).digest('base64');

/** What a page token continues: an operation on certain snapshots. */
export type Listing = readonly string[];

/** Where the next page of a listing starts. */
export const pageToken = (listing: Listing, next: number): string =>
  Buffer.from(JSON.stringify([...listing, next])).toString('base64');

/** @throws AwsError INVALID_PAGE_TOKEN for a token of another listing, or none of ours. */
export function pageStart(listing: Listing, token: string): number {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64').toString());
  } catch {
    throw invalidPageToken(token);
  }
  if (!Array.isArray(parts)) throw invalidPageToken(token);
  const next = parts.pop() as unknown;
  if (typeof next !== 'number' || JSON.stringify(parts) !== JSON.stringify(listing))
    throw invalidPageToken(token);
  return next;
}
