import type { ComplianceItem, ComplianceSummaryItem, SeveritySummary } from '@aws-sdk/client-ssm';

/** Worst first. */
const COUNTED = [
  ['CRITICAL', 'CriticalCount'],
  ['HIGH', 'HighCount'],
  ['MEDIUM', 'MediumCount'],
  ['LOW', 'LowCount'],
  ['INFORMATIONAL', 'InformationalCount'],
  ['UNSPECIFIED', 'UnspecifiedCount'],
] as const;

/**
 * Resources by type that are compliant and that are not: one with any item that is not is not, and counts under the worst
 * severity of those items.
 */
export function summariesOf(items: readonly ComplianceItem[]): ComplianceSummaryItem[] {
  const types = Map.groupBy(items, ({ ComplianceType = '' }) => ComplianceType);
  return [...types].map(([ComplianceType, ofType]) => {
    const compliant = zeroes();
    const nonCompliant = zeroes();
    let [good, bad] = [0, 0];
    for (const ofResource of Map.groupBy(ofType, ({ ResourceId = '' }) => ResourceId).values()) {
      const failing = ofResource.filter(({ Status }) => Status === 'NON_COMPLIANT');
      if (failing.length === 0) good++;
      else bad++;
      const counted = worst(failing.length === 0 ? ofResource : failing);
      (failing.length === 0 ? compliant : nonCompliant)[counted]++;
    }
    return {
      ComplianceType,
      CompliantSummary: { CompliantCount: good, SeveritySummary: compliant },
      NonCompliantSummary: { NonCompliantCount: bad, SeveritySummary: nonCompliant },
    };
  });
}

type Counts = Record<keyof Required<SeveritySummary>, number>;

const zeroes = (): Counts => Object.fromEntries(COUNTED.map(([, name]) => [name, 0])) as unknown as Counts;

function worst(items: readonly ComplianceItem[]): keyof Counts {
  for (const [severity, name] of COUNTED)
    if (items.some(({ Severity }) => Severity === severity)) return name;
  return 'UnspecifiedCount';
}
