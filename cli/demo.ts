import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Report } from '../core/report/report';
import type { Update } from '../core/update/update';
import type { PendingUpdates } from '../local/fleet/demo-fleet';
import { demoMachines, type FleetFilesystem, type FleetMachine } from '../local/fleet/fleet-machines';
import { ensureRequirements } from '../local/fleet/requirements';
import { KERNEL_ENGINE_PROGRAMS } from './local/kernel-engine';
import { makeFleet } from './local/make-fleet';
import { openCloud, type OpenCloud } from './local/open-cloud';
import { removeStateFolder, writeFleetFilesystem } from './local/state-folder';
import { instanceStateEvents, logLines } from './run/event-log';
import { reportTable } from './run/print-report';
import { runAndWatch, runName, type FinishedRun } from './run/start-run';

export interface DemoOptions {
  readonly stateFolder: string;
  readonly port: number;
  readonly pending: 'distribution' | 'repository';
  /** What the fleet's machines have their files on. */
  readonly filesystem: FleetFilesystem;
  readonly tell: (line: string) => void;
}

/** What a demo run came to. */
export interface DemoResult {
  readonly run: FinishedRun;
  readonly report?: Report;
  /** Each sentence is something that should not be so. Empty when all is well. */
  readonly problems: readonly string[];
}

/** Builds the fleet, patches it through Step Functions, and checks what must hold of the result. */
export async function demo(options: DemoOptions): Promise<DemoResult> {
  return withPatchedFleet(
    options,
    { machines: demoMachines({ filesystem: options.filesystem }), update: 'security' },
    async (_open, result) => result,
  );
}

/** A fleet, and the update that it gets. */
export interface PatchedFleet {
  readonly machines: readonly FleetMachine[];
  /** Name of the update. */
  readonly update: string;
  /** Those that are deployed, in the place of the app's own. */
  readonly updates?: readonly Update[];
  readonly publish?: (repositoryFolder: string) => Promise<void>;
}

/** The demo with a continuation that looks at the patched fleet while the cloud still serves. */
export async function withPatchedFleet<T>(
  options: Omit<DemoOptions, 'pending'> & { readonly pending: PendingUpdates },
  { machines, update, updates, publish }: PatchedFleet,
  use: (open: OpenCloud, result: DemoResult) => Promise<T>,
): Promise<T> {
  const { stateFolder, tell } = options;
  await ensureRequirements(tell, options.filesystem === 'ext4' ? [] : KERNEL_ENGINE_PROGRAMS);
  await removeStateFolder(stateFolder);
  const open = await openCloud({ ...options, updates });
  try {
    await makeFleet(open, machines, options.pending, tell, publish);
    await writeFleetFilesystem(stateFolder, options.filesystem);
    const events = path.join(stateFolder, 'events.jsonl');
    const before = (await logLines(events)).length;
    const input = { update };
    tell(`starting patch-fleet with ${JSON.stringify(input)}`);
    const name = runName('demo', new Date());
    const run = await runAndWatch(
      open.clients,
      open.deployment,
      open.deployment.patchFleetArn,
      input,
      name,
      tell,
    );
    const report = run.report as Report | undefined;
    if (run.reportHtml !== undefined) {
      const file = path.join(stateFolder, 'report.html');
      await writeFile(file, run.reportHtml);
      await writeFile(path.join(stateFolder, 'report.json'), JSON.stringify(report, undefined, 2));
      tell(`the report is ${file}`);
    }
    if (report !== undefined) tell(`\n${reportTable(report)}`);
    const problems = await problemsOf(run, report, events, before);
    return await use(open, { run, report, problems });
  } finally {
    await open.cloud.close();
  }
}

async function problemsOf(
  run: FinishedRun,
  report: Report | undefined,
  eventsFile: string,
  before: number,
): Promise<string[]> {
  const problems: string[] = [];
  if (run.status !== 'SUCCEEDED')
    problems.push(`the execution ended as ${run.status}: ${run.error?.name} ${run.error?.cause}`);
  if (report === undefined) return [...problems, 'the run left no report'];
  if (!report.succeeded) problems.push(`the run did not succeed: ${report.summary}`);
  for (const machine of report.machines) {
    if (!['patched', 'updated-online', 'checked'].includes(machine.outcome)) {
      problems.push(`${machine.name} ended as ${machine.outcome}: ${machine.sentence}`);
    }
  }
  const stopped = new Set(
    report.machines.filter(({ state }) => state === 'stopped').map(({ instanceId }) => instanceId),
  );
  for (const event of await instanceStateEvents(eventsFile, before)) {
    if (stopped.has(event.instanceId))
      problems.push(`${event.instanceId} is a target and went from ${event.from} to ${event.to}`);
  }
  return problems;
}
