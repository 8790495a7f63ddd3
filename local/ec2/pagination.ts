import { AwsError } from '../wire';
import { invalidParameterValue } from './ec2-errors';

/**
 * One page of a Describe call. Tokens are opaque to clients; they hold where the next page starts.
 * @throws AwsError for a token that is none of ours, or a page size that EC2 refuses.
 */
export function page<T>(
  items: readonly T[],
  { MaxResults, NextToken }: { MaxResults?: number; NextToken?: string },
): { items: T[]; NextToken?: string } {
  if (MaxResults !== undefined && MaxResults < 5)
    throw invalidParameterValue(
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting a value greater than 5.`,
    );
  const start = NextToken === undefined || NextToken === '' ? 0 : startOf(NextToken);
  const end = MaxResults === undefined ? items.length : start + Math.min(MaxResults, 1000);
  return {
    items: items.slice(start, end),
    ...(end < items.length ? { NextToken: Buffer.from(`from:${end}`).toString('base64url') } : {}),
  };
}

function startOf(token: string): number {
  const match = /^from:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (!match) throw new AwsError('InvalidParameterValue', 'Unable to parse pagination token');
  return Number(match[1]);
}
