import type { Answers } from './boot-instance';
import type { OracleCase } from './cases/oracle-case';

/** What the machines of a fleet answered, by name. */
export interface AnsweredFleet {
  readonly patched: ReadonlyMap<string, Answers>;
  /** By the name of the machine whose twin it is. */
  readonly twins: ReadonlyMap<string, Answers>;
  /** Machines on which the update was run, and that are still there. */
  readonly updatedOnline: ReadonlyMap<string, Answers>;
}

/** Where a patched machine answers otherwise than its twin, or as another machine where no two may. */
export function problemsOfAnswers(
  { same = [], distinct = [] }: Pick<OracleCase, 'same' | 'distinct'>,
  { patched, twins, updatedOnline }: AnsweredFleet,
): string[] {
  const problems: string[] = [];
  for (const [machine, answers] of patched) {
    for (const question of same) {
      const expected = twins.get(machine)?.get(question);
      const answer = answers.get(question);
      if (expected !== undefined && !expected.startsWith('0: '))
        problems.push(`the twin of ${machine} ended "${question}" badly: ${expected}`);
      else if (expected !== undefined && answer !== expected)
        problems.push(`${machine} answers "${question}" with "${answer}", its twin with "${expected}"`);
    }
  }
  for (const question of distinct) {
    const seen = new Map<string, string>();
    for (const [machine, answers] of [...patched, ...updatedOnline]) {
      const answer = answers.get(question) ?? '';
      const other = seen.get(answer);
      if (!answer.startsWith('0: ')) problems.push(`${machine} ended "${question}" badly: ${answer}`);
      else if (other !== undefined)
        problems.push(`${machine} and ${other} answer "${question}" alike: ${answer}`);
      seen.set(answer, machine);
    }
  }
  return problems;
}
