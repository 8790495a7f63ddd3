import type { ComplianceItem, ComplianceStringFilter } from '@aws-sdk/client-ssm';
import { constraint, refusal } from './ssm-errors';

/** What an item can be filtered by: its own members, and those of its execution. */
const VALUES: Readonly<Record<string, (item: ComplianceItem) => string>> = {
  ComplianceType: ({ ComplianceType = '' }) => ComplianceType,
  ResourceId: ({ ResourceId = '' }) => ResourceId,
  ResourceType: ({ ResourceType = '' }) => ResourceType,
  Id: ({ Id = '' }) => Id,
  Title: ({ Title = '' }) => Title,
  Status: ({ Status = '' }) => Status,
  Severity: ({ Severity = '' }) => Severity,
  ExecutionId: ({ ExecutionSummary }) => ExecutionSummary?.ExecutionId ?? '',
  ExecutionType: ({ ExecutionSummary }) => ExecutionSummary?.ExecutionType ?? '',
  ExecutionTime: ({ ExecutionSummary }) => ExecutionSummary?.ExecutionTime?.toISOString() ?? '',
};

const OPERATORS: Readonly<Record<string, (value: string, wanted: readonly string[]) => boolean>> = {
  EQUAL: (value, wanted) => wanted.includes(value),
  NOT_EQUAL: (value, wanted) => !wanted.includes(value),
  BEGIN_WITH: (value, wanted) => wanted.some((start) => value.startsWith(start)),
  LESS_THAN: (value, wanted) => wanted.every((other) => value < other),
  GREATER_THAN: (value, wanted) => wanted.every((other) => value > other),
};

/**
 * A test for items (API_ComplianceStringFilter).
 * @throws AwsError InvalidFilter for a name that is none
 */
export function complianceFilter(
  filters: readonly ComplianceStringFilter[] = [],
): (item: ComplianceItem) => boolean {
  const tests = filters.map(({ Key = '', Values = [], Type = 'EQUAL' }) => {
    const value = Object.hasOwn(VALUES, Key) ? VALUES[Key] : undefined;
    if (value === undefined) {
      throw refusal(
        'InvalidFilter',
        "The filter name isn't valid. Verify that you entered the correct name and try again.",
      );
    }
    const operator = OPERATORS[Type];
    if (operator === undefined) {
      throw constraint(
        'filters.1.member.type',
        Type,
        `satisfy enum value set: [${Object.keys(OPERATORS).join(', ')}]`,
      );
    }
    if (Values.length < 1 || Values.length > 20) {
      throw constraint(
        'filters.1.member.values',
        `[${Values.join(', ')}]`,
        'have length between 1 and 20, inclusive',
      );
    }
    return (item: ComplianceItem) => operator(value(item), Values);
  });
  return (item) => tests.every((test) => test(item));
}
