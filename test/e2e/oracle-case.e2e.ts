import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { OracleResult } from '../../cli/oracle/run-oracle';
import type { Report } from '../../core/report/report';

/**
 * A script that writes the machine's own values, makes accounts, and gives a capability and an ACL, by the command a person
 * would type: real machines are patched offline from one run on another, and equal their twins that ran it themselves.
 */
const PROJECT = path.resolve(__dirname, '..', '..');
const MINUTES = 60_000;

interface Result extends OracleResult {
  readonly problems: readonly string[];
  readonly report: Report;
}

let folder: string;
let result: Result;
let output = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(PROJECT, '.imageelves-e2e-'));
  const json = path.join(folder, 'result.json');
  const command = ['tsx', 'cli/imageelves.ts', 'oracle', 'script', '--json', json];
  const child = spawn('npx', [...command, '--state', path.join(folder, 'state')], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.once('exit', resolve));
  result = JSON.parse(await readFile(json, 'utf8').catch(() => Promise.reject(new Error(output)))) as Result;
}, 10 * MINUTES);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('both stopped machines are patched in the first round, from one running machine and one witness', () => {
  expect(result.problems).toEqual([]);
  expect(result.report.machines.map(({ name, outcome }) => `${name} ${outcome}`).sort()).toEqual([
    'amber-01 updated-online',
    'birch-02 patched',
    'cedar-03 patched',
  ]);
  expect(result.report.classes.map(({ round, memberCount }) => ({ round, memberCount }))).toEqual([
    { round: 1, memberCount: 2 },
  ]);
});

test('each equals its twin that ran the script itself, also where another account has the number', () => {
  expect(result.pairs.map(({ machine }) => machine)).toEqual(['birch-02', 'cedar-03']);
  for (const { machine, comparison } of result.pairs) {
    expect(comparison.paths).toBeGreaterThan(10_000);
    expect({ machine, unexplained: comparison.unexplained }).toEqual({ machine, unexplained: [] });
  }
});

test('both boot and answer as their twins', () => {
  expect(result.booted).toHaveLength(2);
  expect([...result.judged, ...result.booted].flatMap(({ problems }) => problems)).toEqual([]);
  expect(result.answers).toEqual([]);
});
