import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureRequirements } from '../../local/fleet/requirements';
import { withPatchedFleet, type DemoOptions } from '../demo';
import { EMULATOR } from './boot-emulated';
import { ORACLE_CASES } from './cases/all-cases';
import type { OracleCase } from './cases/oracle-case';
import { runCheck } from './run-check';
import { runOracle, type OracleResult } from './run-oracle';

/** What `oracle list` prints: a line for each case. */
export const oracleList = (): string =>
  ORACLE_CASES.map(({ name, about }) => `${name.padEnd(16)} ${about}`).join('\n');

/**
 * Runs one case of the oracle (docs/oracle.md) and tells what it finds; true when it holds.
 *
 * @param jsonFile where the result is written for a program to read
 */
export async function oracle(
  oracleCase: OracleCase,
  options: DemoOptions,
  jsonFile?: string,
): Promise<boolean> {
  const { tell, filesystem } = options;
  const { update, publish, pending = options.pending } = oracleCase;
  if (filesystem === 'mixed' || oracleCase.hasOwnKernel) await ensureRequirements(tell, EMULATOR);
  const fleet = {
    machines: oracleCase.machines(filesystem),
    publish,
    ...(update === undefined ? { update: 'security' } : { update: update.name, updates: [update] }),
  };
  return withPatchedFleet({ ...options, pending }, fleet, async (open, { report, problems: ofRun }) => {
    const problems = [...ofRun, ...(report === undefined ? [] : (oracleCase.reportProblems?.(report) ?? []))];
    const isCheck = update?.kind === 'compliance';
    if (isCheck && report !== undefined)
      problems.push(...(await runCheck(oracleCase, { clients: open.clients, report, tell })));
    const namesOf = (wanted: string): string[] =>
      (report?.machines ?? []).filter(({ outcome }) => outcome === wanted).map(({ name }) => name);
    const patched = namesOf('patched');
    const result = await runOracle(oracleCase, {
      clients: open.clients,
      volumeFile: (volumeId) => path.join(open.cloud.diskFolder, 'volumes', `${volumeId}.raw`),
      cacheFolder: open.cacheFolder,
      patched,
      updatedOnline: namesOf('updated-online'),
      tell,
    });
    tellResult(result, tell);
    if (patched.length === 0 && !isCheck) problems.push('no machine was patched offline');
    for (const problem of problems) tell(`PROBLEM ${problem}`);
    const holds = result.holds && problems.length === 0;
    tell(`the oracle ${holds ? 'holds' : 'does not hold'} for ${oracleCase.name}`);
    if (jsonFile !== undefined)
      await writeFile(
        jsonFile,
        JSON.stringify({ ...result, holds, problems, patched, report }, undefined, 2),
      );
    return holds;
  });
}

function tellResult({ pairs, judged, booted, answers }: OracleResult, tell: (line: string) => void): void {
  for (const { machine, comparison } of pairs) {
    const { paths, differences, unexplained } = comparison;
    const named = differences.length - unexplained.length;
    tell(`${machine}: ${paths} paths, ${named} named differences, ${unexplained.length} others`);
    for (const { path: file, what, offline, online } of unexplained)
      tell(`  DIFFERS ${file}: ${what} is ${offline} offline and ${online} online`);
  }
  for (const { machine, problems } of [...judged, ...booted])
    for (const problem of problems) tell(`PROBLEM ${machine}: ${problem}`);
  for (const problem of answers) tell(`PROBLEM ${problem}`);
}
