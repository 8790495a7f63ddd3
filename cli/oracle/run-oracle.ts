import type { Instance } from '@aws-sdk/client-ec2';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pLimit from 'p-limit';
import type { AttachedDisk } from '../../local/disks/disk-filesystems';
import { TWIN_SUFFIX } from '../../local/fleet/fleet-machines';
import type { AwsClients } from '../run/aws-clients';
import { bootEmulated, isOnLogicalVolumes } from './boot-emulated';
import { ask, bootInstance, FAILED_UNITS, LIST_PACKAGES, type Answers } from './boot-instance';
import type { OracleCase } from './cases/oracle-case';
import { bootOwnKernel } from './boot-own-kernel';
import { problemsOfAnswers } from './compare-answers';
import { compareTrees, type TreeComparison } from './compare-trees';
import { judgeMachine, type MachineJudgement } from './judge-machine';
import { Machines, volumesOf } from './machine';
import { NAMED_DIFFERENCES } from './named-differences';

export interface ComparedPair {
  readonly machine: string;
  readonly comparison: TreeComparison;
}

export interface PatchedMachine {
  readonly machine: string;
  readonly problems: readonly string[];
}

export interface OracleResult {
  readonly pairs: readonly ComparedPair[];
  readonly judged: readonly PatchedMachine[];
  readonly booted: readonly PatchedMachine[];
  /** Where machines answered otherwise than they should. */
  readonly answers: readonly string[];
  readonly holds: boolean;
}

export interface OracleSubject {
  readonly clients: AwsClients;
  volumeFile(volumeId: string): string;
  /** Where what the emulated machine boots with is kept between runs. */
  readonly cacheFolder: string;
  /** Every machine that the run says it patched offline. */
  readonly patched: readonly string[];
  /** Every machine that the run says it updated online. */
  readonly updatedOnline: readonly string[];
  readonly tell: (line: string) => void;
}

/** Updates the twins online, then compares and judges (docs/oracle.md, steps 3 to 6). */
export async function runOracle(oracleCase: OracleCase, subject: OracleSubject): Promise<OracleResult> {
  const work = await mkdtemp(path.join(tmpdir(), 'oracle-'));
  const machines = new Machines(subject.clients);
  try {
    return await new OracleRun(oracleCase, subject, machines, await machines.byName(), work).run();
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What a twin was found to be while it still ran. */
interface OnlineTwin {
  readonly packages: readonly string[];
  readonly answers: Answers;
}

class OracleRun {
  private readonly judgements = new Map<string, MachineJudgement>();
  private readonly answers = new Map<string, Answers>();

  constructor(
    private readonly oracleCase: OracleCase,
    private readonly subject: OracleSubject,
    private readonly machines: Machines,
    private readonly fleet: ReadonlyMap<string, Instance>,
    private readonly work: string,
  ) {}

  async run(): Promise<OracleResult> {
    const { patched, updatedOnline } = this.subject;
    // A machine that was not patched is a problem of its own; comparing it would only repeat that.
    const twinned = patched.filter((name) => this.fleet.has(name + TWIN_SUFFIX));
    const twins = new Map<string, OnlineTwin>();
    await forEach(twinned, async (name) => void twins.set(name, await this.updateOnline(name)));
    const boot = (): Promise<PatchedMachine[]> =>
      forEach(patched, (name) => this.boot(name, twins.get(name)));
    const { hasFirstBoot } = this.oracleCase;
    let booted = hasFirstBoot ? await boot() : [];
    // A btrfs and its copy have one UUID: older kernels do not mount both at once.
    await forEach(patched, (name) => this.judge(name));
    await forEach(twinned, (name) => this.judge(name + TWIN_SUFFIX));
    const pairs: ComparedPair[] = [];
    for (const machine of twinned) pairs.push({ machine, comparison: await this.compare(machine) });
    const judged = patched.map((machine) => ({
      machine,
      problems: problemsOf(find(this.judgements, machine)),
    }));
    if (!hasFirstBoot) booted = await boot();
    if (this.oracleCase.hasOwnKernel) booted = [...booted, await this.bootOwnKernel()];
    const same = [FAILED_UNITS, ...(this.oracleCase.same ?? [])];
    const answers = problemsOfAnswers(
      { ...this.oracleCase, same },
      {
        patched: this.answers,
        twins: new Map([...twins].map(([name, twin]) => [name, twin.answers])),
        updatedOnline: await this.askUpdated(updatedOnline),
      },
    );
    const holds =
      pairs.every(({ comparison }) => comparison.unexplained.length === 0) &&
      [...judged, ...booted].every(({ problems }) => problems.length === 0) &&
      answers.length === 0;
    return { pairs, judged, booted, answers, holds };
  }

  /** The last one: in small fleets, the machine that differs most. */
  private async bootOwnKernel(): Promise<PatchedMachine> {
    const machine = this.subject.patched.at(-1);
    if (machine === undefined) throw new Error('no machine was patched');
    return { machine, problems: await bootOwnKernel(machine, this.disksOf(machine), this.subject.tell) };
  }

  private disksOf(name: string): AttachedDisk[] {
    return volumesOf(find(this.fleet, name)).map(({ volumeId, device }) => ({
      device,
      file: this.subject.volumeFile(volumeId),
    }));
  }

  private get questions(): string[] {
    const { same = [], distinct = [] } = this.oracleCase;
    return [...new Set([FAILED_UNITS, ...same, ...distinct])];
  }

  private async updateOnline(name: string): Promise<OnlineTwin> {
    const twin = find(this.fleet, name + TWIN_SUFFIX);
    const id = twin.InstanceId ?? '';
    this.subject.tell(`updating ${id}, the twin of ${name}, online`);
    if (twin.State?.Name !== 'running') await this.machines.start(id);
    const { exitCode, output } = await this.machines.run(id, this.oracleCase.online);
    if (exitCode !== 0)
      throw new Error(`the update of the twin ${id} ended with ${exitCode}: ${output.slice(-2000)}`);
    const { output: packages } = await this.machines.run(id, [LIST_PACKAGES]);
    const answers = await ask(this.machines, id, this.questions);
    await this.machines.stop(id);
    return { packages: packages.trim().split('\n'), answers };
  }

  private async askUpdated(names: readonly string[]): Promise<Map<string, Answers>> {
    const { distinct = [] } = this.oracleCase;
    const answers = new Map<string, Answers>();
    for (const name of distinct.length === 0 ? [] : names)
      answers.set(name, await ask(this.machines, find(this.fleet, name).InstanceId ?? '', distinct));
    return answers;
  }

  private async judge(name: string): Promise<void> {
    const judgement = await judgeMachine(this.disksOf(name), path.join(this.work, name));
    const programs = [...new Set(judgement.checks.map(({ program }) => program))].join(', ');
    this.subject.tell(`judged ${name}: ${programs}, dpkg --audit, debsums, the kernel's listing`);
    this.judgements.set(name, judgement);
  }

  private async compare(machine: string): Promise<TreeComparison> {
    const offline = find(this.judgements, machine);
    const online = find(this.judgements, machine + TWIN_SUFFIX);
    const sameRecords = async (file: string): Promise<boolean> => {
      const records = await offline.recordsOf(file);
      return records !== undefined && records === (await online.recordsOf(file));
    };
    const rules = [...NAMED_DIFFERENCES, ...this.oracleCase.named];
    return compareTrees(offline.tree, online.tree, sameRecords, rules);
  }

  private async boot(machine: string, twin: OnlineTwin | undefined): Promise<PatchedMachine> {
    const { installed, units = [] } = this.oracleCase;
    // A machine without a twin is held to what its volume says after the patch.
    const packages = twin?.packages ?? find(this.judgements, machine).packages;
    const problems: string[] = [];
    if (await isOnLogicalVolumes(this.disksOf(machine))) {
      const { mountPoints } = find(this.judgements, machine);
      problems.push(
        ...(await bootEmulated(machine, this.disksOf(machine), { packages, mountPoints }, this.subject)),
      );
    } else {
      const expected = { packages, units, questions: this.questions };
      const found = await bootInstance(this.machines, find(this.fleet, machine), expected, this.subject.tell);
      problems.push(...found.problems);
      this.answers.set(machine, found.answers);
    }
    if (installed !== undefined && !packages.some((line) => line.startsWith(installed)))
      problems.push(`${installed.trim()} is not installed`);
    return { machine, problems };
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

function problemsOf(judgement: MachineJudgement): string[] {
  const problems: string[] = [];
  for (const { program, clean, output } of judgement.checks)
    if (!clean) problems.push(`${program}: ${output.trim()}`);
  if (judgement.dpkgAudit.trim() !== '') problems.push(`dpkg --audit: ${judgement.dpkgAudit.trim()}`);
  if (judgement.debsums.trim() !== '') problems.push(`debsums -s: ${judgement.debsums.trim()}`);
  return problems;
}
