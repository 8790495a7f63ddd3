import type { UpdateResult } from './classify-benchmark';

const LISTED = 12;

/** One row an update, and one of all. */
export function outcomeTable(results: readonly UpdateResult[]): string {
  const rows = results.map(outcomeRow);
  const sum = (count: (result: UpdateResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  const patched = sum((result) => result.patched);
  rows.push([
    'all',
    sum(({ machines }) => machines),
    sum(({ outcomes }) => outcomes),
    sum(({ classes }) => classes),
    '',
    sum(({ onlineUpdates }) => onlineUpdates),
    patched,
    share(
      sum(({ falselyPatched }) => falselyPatched.length),
      patched,
    ),
    share(
      sum(({ missed }) => missed.length),
      sum(({ machines }) => machines),
    ),
  ]);
  return [
    '| update | machines | truly different outcomes | classes | rounds | online updates | patched offline | of these falsely | missed |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

export const outcomeRow = (result: UpdateResult): (string | number)[] => [
  result.update,
  result.machines,
  result.outcomes,
  result.classes,
  result.rounds,
  result.onlineUpdates,
  result.patched,
  share(result.falselyPatched.length, result.patched),
  share(result.missed.length, result.machines),
];

const share = (part: number, of: number): string =>
  `${part} (${of === 0 ? 0 : ((100 * part) / of).toFixed(part === 0 ? 0 : 1)} %)`;

/** What must not be, in words. */
export function problemsOf(results: readonly UpdateResult[]): string[] {
  return results.flatMap(({ update, outcomes, onlineUpdates, falselyPatched, failed, planMistakes }) => [
    ...(onlineUpdates > 2 * outcomes
      ? [`\n${update}: ${onlineUpdates} online updates are more than two for each of ${outcomes} outcomes`]
      : []),
    ...listed(`${update}: patched falsely`, falselyPatched),
    ...listed(`${update}: matched, and could not be patched`, failed),
    ...listed(`${update}: the plan of the fleet is wrong`, planMistakes),
  ]);
}

function listed(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > LISTED ? [`  and ${lines.length - LISTED} more`] : [];
  return [`\n${title}: ${lines.length}`, ...lines.slice(0, LISTED).map((line) => `  ${line}`), ...more];
}
