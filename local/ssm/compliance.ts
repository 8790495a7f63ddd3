import path from 'node:path';
import type {
  ComplianceItem,
  ListComplianceItemsCommandInput,
  ListComplianceSummariesCommandInput,
  PutComplianceItemsCommandInput,
} from '@aws-sdk/client-ssm';
import { JsonDocument, readJson } from '../state/json-document';
import { AwsError, type Handler } from '../wire';
import { complianceFilter } from './compliance-filters';
import { checkComplianceItems } from './compliance-rules';
import { summariesOf } from './compliance-summaries';
import { constraint, refusal } from './ssm-errors';

/** "You can specify a maximum of 10 different types" (API_PutComplianceItems). */
const MAX_CUSTOM_TYPES = 10;
const PAGE = 50;

export interface LocalCompliance {
  readonly handlers: Record<string, Handler>;
  flush(): Promise<void>;
}

/** SSM Compliance: what was last put for each resource and type. */
export async function createCompliance({
  isKnown,
  folder,
}: {
  /** Whether this is a managed node, or was one: a stopped instance keeps its compliance. */
  readonly isKnown: (instanceId: string) => boolean;
  readonly folder?: string;
}): Promise<LocalCompliance> {
  const file = folder === undefined ? undefined : path.join(folder, 'ssm-compliance.json');
  const items = new Map<string, ComplianceItem[]>();
  for (const item of (file === undefined ? undefined : await readJson<ComplianceItem[]>(file)) ?? []) {
    const ExecutionTime = new Date(item.ExecutionSummary?.ExecutionTime ?? 0);
    const key = keyOf(item);
    items.set(key, [
      ...(items.get(key) ?? []),
      { ...item, ExecutionSummary: { ...item.ExecutionSummary, ExecutionTime } },
    ]);
  }
  const all = (): ComplianceItem[] =>
    [...items.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, found]) => found);
  const document = file === undefined ? undefined : new JsonDocument(file, all);

  const handlers: Record<string, Handler> = {
    PutComplianceItems(input: PutComplianceItemsCommandInput) {
      checkComplianceItems(input, isKnown);
      const key = keyOf(input);
      const types = new Set(
        [...all(), input]
          .map(({ ComplianceType = '' }) => ComplianceType)
          .filter((type) => type.startsWith('Custom:')),
      );
      if (types.size > MAX_CUSTOM_TYPES) {
        throw refusal(
          'ComplianceTypeCountLimitExceededException',
          'You specified too many custom compliance types. You can specify a maximum of 10 different types.',
        );
      }
      const { ResourceId, ResourceType, ComplianceType, ExecutionSummary } = input;
      items.set(
        key,
        (input.Items ?? []).map((entry) => ({
          ComplianceType,
          ResourceType,
          ResourceId,
          Title: '',
          ...entry,
          ExecutionSummary,
          Details: entry.Details ?? {},
        })),
      );
      document?.changed();
      return {};
    },
    ListComplianceItems(input: ListComplianceItemsCommandInput) {
      const { ResourceIds, ResourceTypes } = input;
      if (ResourceIds !== undefined && ResourceIds.length !== 1) {
        throw constraint('resourceIds', `[${ResourceIds.join(', ')}]`, 'have length less than or equal to 1');
      }
      const fits = complianceFilter(input.Filters);
      const found = all()
        .filter(({ ResourceId = '' }) => ResourceIds === undefined || ResourceIds.includes(ResourceId))
        .filter(
          ({ ResourceType = '' }) => ResourceTypes === undefined || ResourceTypes.includes(ResourceType),
        )
        .filter(fits);
      const page = pageOf(found, input);
      return { ComplianceItems: page.items, NextToken: page.next };
    },
    ListComplianceSummaries(input: ListComplianceSummariesCommandInput) {
      const page = pageOf(summariesOf(all().filter(complianceFilter(input.Filters))), input);
      return { ComplianceSummaryItems: page.items, NextToken: page.next };
    },
  };
  return { handlers, flush: async () => document?.flush() };
}

/** A put replaces all that stands under it. */
const keyOf = ({
  ResourceId,
  ComplianceType,
}: Pick<ComplianceItem, 'ResourceId' | 'ComplianceType'>): string =>
  JSON.stringify([ResourceId, ComplianceType]);

function pageOf<T>(
  found: readonly T[],
  { MaxResults = PAGE, NextToken }: { readonly MaxResults?: number; readonly NextToken?: string },
): { items: T[]; next?: string } {
  if (MaxResults < 1 || MaxResults > PAGE) {
    const rule =
      MaxResults < 1 ? 'have value greater than or equal to 1' : `have value less than or equal to ${PAGE}`;
    throw constraint('maxResults', String(MaxResults), rule);
  }
  const match = /^from:(\d+)$/.exec(Buffer.from(NextToken ?? btoa('from:0'), 'base64').toString());
  if (!match) throw new AwsError('InvalidNextToken', "The specified token isn't valid.");
  const start = Number(match[1]);
  const end = start + MaxResults;
  return {
    items: found.slice(start, end),
    ...(end < found.length ? { next: btoa(`from:${end}`) } : {}),
  };
}
