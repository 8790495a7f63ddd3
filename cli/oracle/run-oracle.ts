import type { Instance } from '@aws-sdk/client-ec2';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pLimit from 'p-limit';
import type { AttachedDisk } from '../../local/disks/disk-filesystems';
import { BANNER_PACKAGE } from '../../local/fleet/package-repository';
import { bootEmulated, isOnLogicalVolumes } from './boot-emulated';
import { bootInstance } from './boot-instance';
import { compareTrees, type TreeComparison } from './compare-trees';
import { judgeMachine, type MachineJudgement } from './judge-machine';
import { Machines, volumesOf } from './machine';
import type { AwsClients } from '../run/aws-clients';

/** Appended to a machine's name: its copy that is updated online. */
export const TWIN_SUFFIX = '-online';

/** What the update of any day brings to every machine of the demo fleet. */
const UPDATED_EVERYWHERE = `${BANNER_PACKAGE}:all 1.1 `;

/** The package manager's own way, as an administrator would do it by hand. */
const ONLINE_UPDATE = [
  'export DEBIAN_FRONTEND=noninteractive',
  'apt-get -qq update',
  'apt-get -qq -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold upgrade',
  'sync',
];

export interface OracleCase {
  readonly machine: string;
  readonly comparison: TreeComparison;
}

export interface PatchedMachine {
  readonly machine: string;
  readonly problems: readonly string[];
}

export interface OracleResult {
  readonly cases: readonly OracleCase[];
  readonly judged: readonly PatchedMachine[];
  readonly booted: readonly PatchedMachine[];
  readonly holds: boolean;
}

export interface OracleSubject {
  readonly clients: AwsClients;
  volumeFile(volumeId: string): string;
  /** Where what the emulated machine boots with is kept between runs. */
  readonly cacheFolder: string;
  /** Machines with a twin. */
  readonly twins: readonly string[];
  /** Every machine that the run says it patched offline. */
  readonly patched: readonly string[];
  readonly tell: (line: string) => void;
}

/** Updates the twins online, then compares and judges (docs/oracle.md, steps 3 to 6). */
export async function runOracle(subject: OracleSubject): Promise<OracleResult> {
  const machines = new Machines(subject.clients);
  const fleet = await machines.byName();
  const work = await mkdtemp(path.join(tmpdir(), 'oracle-'));
  try {
    await forEach(subject.twins, (name) =>
      updateOnline(machines, find(fleet, name + TWIN_SUFFIX), subject.tell),
    );
    const disksOf = (name: string): AttachedDisk[] =>
      volumesOf(find(fleet, name)).map(({ volumeId, device }) => ({
        device,
        file: subject.volumeFile(volumeId),
      }));
    const judgements = new Map<string, MachineJudgement>();
    const judge = async (name: string): Promise<void> => {
      const judgement = await judgeMachine(disksOf(name), path.join(work, name));
      const programs = [...new Set(judgement.checks.map(({ program }) => program))].join(', ');
      subject.tell(`judged ${name}: ${programs}, dpkg --audit, debsums, the kernel's listing`);
      judgements.set(name, judgement);
    };
    // A btrfs and its copy have one UUID: older kernels do not mount both at once.
    await forEach(subject.patched, judge);
    await forEach(
      subject.twins.map((twin) => twin + TWIN_SUFFIX),
      judge,
    );
    const cases: OracleCase[] = [];
    for (const machine of subject.twins) {
      cases.push({ machine, comparison: await comparePair(judgements, machine) });
    }
    const judged = subject.patched.map((machine) => ({
      machine,
      problems: problemsOf(find(judgements, machine)),
    }));
    const booted = await forEach(subject.patched, async (machine): Promise<PatchedMachine> => {
      // A machine without a twin is held to what its volume says after the patch.
      const { packages: expected, mountPoints } =
        judgements.get(machine + TWIN_SUFFIX) ?? find(judgements, machine);
      const problems = (await isOnLogicalVolumes(disksOf(machine)))
        ? await bootEmulated(machine, disksOf(machine), { packages: expected, mountPoints }, subject)
        : await bootInstance(machines, find(fleet, machine), expected, subject.tell);
      if (!expected.some((line) => line.startsWith(UPDATED_EVERYWHERE))) {
        problems.push(`${UPDATED_EVERYWHERE} is not installed`);
      }
      return { machine, problems };
    });
    const holds =
      cases.every(({ comparison }) => comparison.unexplained.length === 0) &&
      [...judged, ...booted].every(({ problems }) => problems.length === 0);
    return { cases, judged, booted, holds };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Two at a time: what is done with a machine is waiting for much of its time. */
function forEach<T>(names: readonly string[], work: (name: string) => Promise<T>): Promise<T[]> {
  const limit = pLimit(2);
  return Promise.all(names.map((name) => limit(() => work(name))));
}

function find<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined) throw new Error(`there is no ${name} in the fleet`);
  return value;
}

async function updateOnline(machines: Machines, twin: Instance, tell: (line: string) => void): Promise<void> {
  const id = twin.InstanceId ?? '';
  tell(`updating ${id} online by apt-get upgrade`);
  if (twin.State?.Name !== 'running') await machines.start(id);
  const { exitCode, output } = await machines.run(id, ONLINE_UPDATE);
  if (exitCode !== 0)
    throw new Error(`apt-get upgrade on ${id} ended with ${exitCode}: ${output.slice(-2000)}`);
  await machines.stop(id);
}

async function comparePair(
  judgements: ReadonlyMap<string, MachineJudgement>,
  machine: string,
): Promise<TreeComparison> {
  const offline = find(judgements, machine);
  const online = find(judgements, machine + TWIN_SUFFIX);
  return compareTrees(offline.tree, online.tree, async (file) => {
    const records = await offline.recordsOf(file);
    return records !== undefined && records === (await online.recordsOf(file));
  });
}

function problemsOf(judgement: MachineJudgement): string[] {
  const problems: string[] = [];
  for (const { program, clean, output } of judgement.checks)
    if (!clean) problems.push(`${program}: ${output.trim()}`);
  if (judgement.dpkgAudit.trim() !== '') problems.push(`dpkg --audit: ${judgement.dpkgAudit.trim()}`);
  if (judgement.debsums.trim() !== '') problems.push(`debsums -s: ${judgement.debsums.trim()}`);
  return problems;
}
