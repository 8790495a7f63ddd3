import { gunzipSync } from 'node:zlib';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { RESULTS_LINE, RULE_LINE } from './check-script';
import { ComplianceOutputError } from './compliance-errors';
import {
  type ComplianceResult,
  MAX_EVIDENCE_LENGTH,
  MAX_RULES,
  MAX_TITLE_LENGTH,
  RuleResult,
} from './compliance-result';

/** Unpacked, 500 rules with all their text in the longest spelling stay below this. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
const MAX_LINE_LENGTH = 64 * 1024;
const CUT_MARK = '…';

const LOOK = 'Run the commands of the check on a machine and look at what they print.';
const PRINT_LESS = 'Check fewer rules at a time, or print less as evidence.';

let compiled: ReturnType<typeof TypeCompiler.Compile<typeof RuleResult>> | undefined;

/**
 * Results of a check, from the output of its command. Nothing is guessed: a result that is cut off, or one that cannot be
 * read, is none, since a rule that is missing would be taken for one that was not asked for.
 *
 * @throws ComplianceOutputError
 */
export function parseCheckOutput(output: string): ComplianceResult {
  const { lines, count } = resultLines(output);
  if (lines.length !== count) {
    throw new ComplianceOutputError(`has ${lines.length} rules of ${count}`, PRINT_LESS);
  }
  if (count === 0) {
    throw new ComplianceOutputError('is empty', 'Let the commands of the check report rules (rule_check).');
  }
  if (count > MAX_RULES) {
    throw new ComplianceOutputError(`has ${count} rules, more than ${MAX_RULES}`, PRINT_LESS);
  }
  const rules = lines.map((line, index) => parseRule(line, index + 1));
  const seen = new Set<string>();
  for (const [index, { rule }] of rules.entries()) {
    if (seen.has(rule)) {
      const cause = `is a second one for rule ${rule}`;
      throw new ComplianceOutputError(cause, 'Give each rule a name of its own.', index + 1);
    }
    seen.add(rule);
  }
  return { rules };
}

function resultLines(output: string): { lines: string[]; count: number } {
  const all = output.split(/\r?\n/);
  const last = all.findLastIndex((line) => line.startsWith(`${RESULTS_LINE} end `));
  if (last < 0) throw new ComplianceOutputError('is cut off: its last line is missing', PRINT_LESS);
  const count = Number(all[last]!.slice(`${RESULTS_LINE} end `.length));
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new ComplianceOutputError('does not say how many rules it has', LOOK);
  }
  const packed = all.indexOf(`${RESULTS_LINE} gzip`);
  const given = packed < 0 ? all.slice(0, last) : unpacked(all.slice(packed + 1, last).join(''));
  return { lines: given.filter((line) => line.startsWith(RULE_LINE)), count };
}

function unpacked(base64: string): string[] {
  try {
    const bytes = gunzipSync(Buffer.from(base64, 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES });
    return bytes.toString('utf8').split('\n');
  } catch (cause) {
    throw new ComplianceOutputError('cannot be unpacked', PRINT_LESS, undefined, { cause });
  }
}

function parseRule(line: string, number: number): RuleResult {
  if (line.length > MAX_LINE_LENGTH) throw new ComplianceOutputError('is too long', PRINT_LESS, number);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new ComplianceOutputError('is not JSON', LOOK, number, { cause });
  }
  const rule = shortened({ title: '', severity: 'UNSPECIFIED', evidence: '', ...(value as object) });
  compiled ??= TypeCompiler.Compile(RuleResult);
  if (!compiled.Check(rule)) {
    const first = compiled.Errors(rule).First();
    const where = first?.path.slice(1) ?? '';
    const cause = `is no result of a rule: ${where === '' ? '' : `${where}: `}${first?.message ?? 'it has other members'}`;
    throw new ComplianceOutputError(cause, LOOK, number);
  }
  return rule;
}

function shortened(rule: Record<string, unknown>): Record<string, unknown> {
  const cut = (value: unknown, length: number): unknown =>
    typeof value === 'string' && value.length > length ? value.slice(0, length - 1) + CUT_MARK : value;
  return {
    ...rule,
    title: cut(rule['title'], MAX_TITLE_LENGTH),
    evidence: cut(rule['evidence'], MAX_EVIDENCE_LENGTH),
  };
}
