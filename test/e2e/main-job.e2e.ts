import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { OracleResult } from '../../cli/oracle/run-oracle';
import type { Report } from '../../core/report/report';

/**
 * The main job on real machines, by the command a person would type: a fleet on ext4, XFS, btrfs, LVM and several volumes
 * is built, patched through Step Functions, and held against copies that were updated by their own package manager. The
 * update is the same on any day.
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
  const command = [
    'tsx',
    'cli/imageelves.ts',
    'oracle',
    'layouts',
    '--pending',
    'repository',
    '--filesystem',
    'mixed',
    '--state',
    path.join(folder, 'state'),
    '--json',
    json,
  ];
  const child = spawn('npx', command, { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.once('exit', resolve));
  result = JSON.parse(await readFile(json, 'utf8').catch(() => Promise.reject(new Error(output)))) as Result;
}, 20 * MINUTES);

afterAll(() => rm(folder, { recursive: true, force: true }));

const named = (name: string) => result.report.machines.find((machine) => machine.name === name);

test('two classes are found, and one machine of each is updated online', () => {
  const first = result.report.classes.filter(({ round }) => round === 1);
  expect(first.map(({ representative }) => representative.kind)).toEqual(['live', 'live']);
  expect(['web-1', 'app-1'].map((name) => named(name)?.outcome)).toEqual([
    'updated-online',
    'updated-online',
  ]);
});

test('every stopped machine is patched, and none of them was started', () => {
  const stopped = result.report.machines.filter(({ state }) => state === 'stopped');
  expect(stopped.map(({ name, outcome }) => `${name} ${outcome}`).sort()).toEqual(
    ['app-2', 'app-3', 'web-2', 'web-3'].map((name) => `${name} patched`),
  );
  // `problems` holds, among others, every change of state of a target that the event log shows.
  expect(result.problems).toEqual([]);
});

test('one class spans every layout; the direct engine writes ext4, the kernel engine the others', () => {
  const layouts: Readonly<Record<string, readonly string[]>> = {
    'web-1': ['/ xfs', '/boot xfs', '/boot/efi vfat'],
    'web-2': ['/ xfs', '/boot ext4', '/boot/efi vfat', '/var xfs'],
    'web-3': ['/ btrfs', '/home btrfs'],
    'app-1': ['/ ext4', '/var xfs'],
    'app-2': ['/ xfs', '/boot ext4'],
    'app-3': ['/ ext4'],
  };
  for (const [name, mounts] of Object.entries(layouts)) {
    const machine = named(name);
    const shown = machine?.filesystems.map(({ mountPoint, kind }) => `${mountPoint} ${kind}`).sort();
    expect({ name, mounts: shown }).toEqual({ name, mounts });
    if (machine?.state === 'running') continue;
    expect(machine?.sentence.includes('kernel engine')).toBe(mounts.join() !== '/ ext4');
  }
});

test('the machine with the edited configuration gets a round of its own, by what a clone of it was seen to do; the one with an extra package shares its class', () => {
  const ownRound = result.report.classes.filter(({ round }) => round > 1);
  expect(ownRound).toHaveLength(1);
  // Ids decide which machine of a class is cloned as witness; if it was this one, that is not done again.
  expect(['clone', 'recorded']).toContain(ownRound[0]?.representative.kind);
  expect(named('web-3')?.classId).toBe(ownRound[0]?.classId);
  expect(named('app-3')?.classId).toBe(named('app-2')?.classId);
});

test('on each layout, an offline patched machine equals its copy that apt-get upgraded, outside the named differences', () => {
  expect(result.pairs.map(({ machine }) => machine).sort()).toEqual(['app-2', 'app-3', 'web-2', 'web-3']);
  for (const { machine, comparison } of result.pairs) {
    expect(comparison.paths).toBeGreaterThan(10_000);
    expect({ machine, unexplained: comparison.unexplained }).toEqual({ machine, unexplained: [] });
  }
});

test('e2fsck, xfs_repair, btrfs check, dpkg and debsums find nothing, and the machines boot with their services', () => {
  expect(result.judged).toHaveLength(4);
  expect(result.booted).toHaveLength(4);
  expect(
    [...result.judged, ...result.booted].flatMap(({ machine, problems }) =>
      problems.map((problem) => `${machine}: ${problem}`),
    ),
  ).toEqual([]);
});

test('nothing is left half done: no mount, no process, no loop device', async () => {
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(folder);
  const loops = await new Promise<string>((resolve) => {
    const child = spawn('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('exit', () => resolve(text));
  });
  expect(loops).not.toContain(folder);
});
