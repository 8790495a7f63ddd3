import { AwsError } from '../../wire';

export interface Page<T> {
  readonly items: T[];
  readonly nextToken?: string;
}

/**
 * One page of a list. The token holds the place to go on from.
 * @throws AwsError InvalidToken
 */
export function pageOf<T>(
  all: readonly T[],
  { maxResults, nextToken }: { maxResults?: number; nextToken?: string },
  defaultSize = 100,
): Page<T> {
  const start = nextToken === undefined ? 0 : startOf(nextToken);
  const end = start + Math.min(maxResults || defaultSize, 1000);
  return { items: all.slice(start, end), nextToken: end < all.length ? tokenFor(end) : undefined };
}

const tokenFor = (start: number): string => Buffer.from(JSON.stringify({ start })).toString('base64');

function startOf(token: string): number {
  try {
    const { start } = JSON.parse(Buffer.from(token, 'base64').toString()) as { start?: unknown };
    if (typeof start === 'number' && Number.isSafeInteger(start) && start >= 0) return start;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new AwsError('InvalidToken', `Invalid Token: '${token}'`);
}
