import { constraintViolations } from './ebs-errors';

/** Constraints of one member in the EBS model (API Reference, each operation's request parameters). */
export interface Constraint {
  /** Default: the member may be left out. */
  required?: boolean;
  min?: number;
  max?: number;
  pattern?: RegExp;
  values?: readonly string[];
}

export const SNAPSHOT_ID: Constraint = { required: true, pattern: /^snap-[0-9a-f]+$/ };
export const TOKEN: Constraint = { pattern: /^[A-Za-z0-9+/=_-]+$/ };
export const INDEX: Constraint = { min: 0 };
export const PAGE_SIZE: Constraint = { min: 100, max: 10_000 };
export const CHECKSUM: Constraint = { pattern: /^[A-Za-z0-9+/=]+$/ };

/**
 * Checks members before anything else is looked at.
 * @throws AwsError ValidationException of the framework's family, naming every violation.
 */
export function checkConstraints(
  input: Readonly<Record<string, unknown>>,
  constraints: Readonly<Record<string, Constraint>>,
): void {
  const violations: string[] = [];
  for (const [name, constraint] of Object.entries(constraints)) {
    const value = input[name];
    const member = name.charAt(0).toLowerCase() + name.slice(1);
    if (value === undefined) {
      if (constraint.required)
        violations.push(`Value null at '${member}' failed to satisfy constraint: Member must not be null`);
      continue;
    }
    const broken = violation(value, constraint);
    if (broken !== undefined)
      violations.push(`Value '${String(value)}' at '${member}' failed to satisfy constraint: ${broken}`);
  }
  if (violations.length > 0) throw constraintViolations(violations);
}

function violation(value: unknown, { min, max, pattern, values }: Constraint): string | undefined {
  if (min !== undefined && Number(value) < min)
    return `Member must have value greater than or equal to ${min}`;
  if (max !== undefined && Number(value) > max) return `Member must have value less than or equal to ${max}`;
  if (values && !values.includes(String(value)))
    return `Member must satisfy enum value set: [${values.join(', ')}]`;
  if (pattern && !pattern.test(String(value)))
    return `Member must satisfy regular expression pattern: ${pattern.source.replaceAll('\\/', '/')}`;
  return undefined;
}
