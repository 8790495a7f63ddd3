import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { reexecInPrivateNamespace } from '../../local/start';
import { machineLine } from '../table';
import { classifyFleet } from './classify-benchmark';
import { outcomeTable, problemsOf } from './outcome-table';
import { ScratchStore } from './scratch-store';
import { UPDATES } from './updates';

const DEFAULT_MACHINES = 64;

/**
 * Measures classification on a generated fleet of known truth, and prints the table. Ends with 1 when a machine was patched
 * with what is not its own outcome.
 * Usage: npm run bench -- classify [--machines NUMBER] [--json FILE] [names of updates]
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { machines: { type: 'string' }, json: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.find((wanted) => !UPDATES.some(({ name }) => name === wanted));
  if (unknown !== undefined) {
    throw new Error(`there is no update ${unknown}: it may be ${UPDATES.map(({ name }) => name).join(', ')}`);
  }
  const updates = UPDATES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const began = performance.now();
  const seconds = (): string => ((performance.now() - began) / 1000).toFixed(0);
  await using store = await ScratchStore.make();
  const results = await classifyFleet(store, Number(values.machines ?? DEFAULT_MACHINES), updates, (line) =>
    console.error(`${seconds()} s: ${line}`),
  );
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(results, null, 1));
  console.log(`\n${new Date().toISOString().slice(0, 10)}, ${machineLine()}, ${seconds()} s.\n`);
  console.log(outcomeTable(results));
  const problems = problemsOf(results);
  if (problems.length > 0) process.exitCode = 1;
  for (const problem of problems) console.log(problem);
}

async function start(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('the benchmark mounts images: run it as root');
  const exitCode = await reexecInPrivateNamespace();
  if (exitCode === undefined) await main();
  else process.exitCode = exitCode;
}

start().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
