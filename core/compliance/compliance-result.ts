import { type Static, Type } from '@sinclair/typebox';

/** SSM Compliance takes 10,000 items; what Run Command gives back of a check is less. */
export const MAX_RULES = 500;
export const MAX_TITLE_LENGTH = 300;
/** Characters of evidence that are kept; the rest is cut off with a mark. */
export const MAX_EVIDENCE_LENGTH = 1000;

/** What a person can type and SSM can filter by. */
export const RULE_ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$';

/** Those of SSM Compliance. */
export const RULE_SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL', 'UNSPECIFIED'] as const;

/** What a check found about one rule. */
export const RuleResult = Type.Object(
  {
    rule: Type.String({ pattern: RULE_ID_PATTERN }),
    status: Type.Union([Type.Literal('pass'), Type.Literal('fail')]),
    title: Type.String({ maxLength: MAX_TITLE_LENGTH }),
    severity: Type.Union(RULE_SEVERITIES.map((severity) => Type.Literal(severity))),
    /** What was seen: the line of a file, the output of a command. */
    evidence: Type.String({ maxLength: MAX_EVIDENCE_LENGTH }),
  },
  { additionalProperties: false },
);
export type RuleResult = Static<typeof RuleResult>;

/**
 * What a check found on a machine. It holds for every machine on which the check would read the same: the members of the
 * representative's class, by its read footprint.
 */
export const ComplianceResult = Type.Object(
  { rules: Type.Array(RuleResult, { minItems: 1, maxItems: MAX_RULES }) },
  { additionalProperties: false },
);
export type ComplianceResult = Static<typeof ComplianceResult>;

export function countRules({ rules }: ComplianceResult): { passed: number; failed: number } {
  const passed = rules.filter(({ status }) => status === 'pass').length;
  return { passed, failed: rules.length - passed };
}
