import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { UpdateResult } from '../../bench/classify/classify-benchmark';

/**
 * A fleet of twelve, three updates run on each machine of it for the truth: no machine may be patched with what is not its
 * own outcome. `npm run bench -- classify` does the same with 64 machines.
 */
const run = promisify(execFile);
const root = path.join(__dirname, '../..');

let folder: string;
let results: readonly UpdateResult[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'classify-'));
  const file = path.join(folder, 'results.json');
  const args = ['bench/run.ts', 'classify', '--machines', '12', '--json', file];
  // It ends with 1 when something is wrong: the tests say what.
  await run('node_modules/.bin/tsx', [...args, 'upgrade', 'settings', 'identity'], { cwd: root }).catch(
    (error: Error & { stderr?: string }) => {
      process.stderr.write(error.stderr ?? '');
    },
  );
  results = JSON.parse(await readFile(file, 'utf8')) as UpdateResult[];
}, 600_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('what was planned of the fleet is what happened on it', () => {
  expect(results.map(({ update, outcomes }) => [update, outcomes])).toEqual([
    ['upgrade', 7],
    ['settings', 1],
    ['identity', 1],
  ]);
  expect(results.flatMap(({ planMistakes }) => planMistakes)).toEqual([]);
});

test('no machine is patched with what is not its own outcome', () => {
  expect(results.flatMap(({ falselyPatched }) => falselyPatched)).toEqual([]);
  expect(results.flatMap(({ failed }) => failed)).toEqual([]);
});

test('most stopped machines are patched without an online update of their own', () => {
  for (const { machines, patched } of results) expect(patched).toBeGreaterThan(machines / 2);
});

test('no outcome takes more than two online updates on average', () => {
  for (const { onlineUpdates, outcomes } of results) expect(onlineUpdates).toBeLessThanOrEqual(2 * outcomes);
});
