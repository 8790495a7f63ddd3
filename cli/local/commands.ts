import { Command } from 'commander';
import { spawn } from 'node:child_process';
import { mkdir, open as openFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { demoMachines, fleetFilesystemNamed } from '../../local/fleet/fleet-machines';
import { ensureRequirements } from '../../local/fleet/requirements';
import type { Report } from '../../core/report/report';
import { Machines } from '../oracle/machine';
import { clientsOf } from '../run/aws-clients';
import { reportTable } from '../run/print-report';
import { runAndWatch, runName } from '../run/start-run';
import { KERNEL_ENGINE_PROGRAMS } from './kernel-engine';
import { makeFleet } from './make-fleet';
import { openCloud, type CloudOptions } from './open-cloud';
import {
  clearServingCloud,
  fleetFilesystem,
  servingCloud,
  writeFleetFilesystem,
  writeServingCloud,
  type ServingCloud,
} from './state-folder';

/** Ready within this time, or `up` says that it is not. A first fleet has two Debian trees to bootstrap. */
const UP_SECONDS = 600;
const DOWN_SECONDS = 120;

/** Flags, description, default. */
type CommandOption = readonly [string, string, string];

interface Flags {
  readonly state: string;
}

/** `imageelves local up|run|status|down`: an embedded cloud that goes on serving in the background. */
export function localCommands({
  stateOption,
  filesystemOption,
  defaultPort,
  tell,
}: {
  readonly stateOption: CommandOption;
  readonly filesystemOption: CommandOption;
  readonly defaultPort: number;
  readonly tell: (line: string) => void;
}): Command {
  const local = new Command('local').description('an embedded cloud with a fleet of real machines');
  local
    .command('up')
    .description('start it in the background, with the fleet it had or a new one')
    .option(...stateOption)
    .option('--port <number>', 'loopback port', String(defaultPort))
    .option(filesystemOption[0], `of a new fleet: ${filesystemOption[1]}`, filesystemOption[2])
    .action((flags: Flags & { port: string; filesystem: string }) =>
      up(path.resolve(flags.state), flags.port, flags.filesystem, tell),
    );
  local
    .command('serve')
    .description('serve in the foreground; "up" starts this')
    .option(...stateOption)
    .option('--port <number>', 'loopback port', String(defaultPort))
    .option(...filesystemOption)
    .option('--host-pid <number>', 'process to signal, as the host numbers it')
    .action(async (flags: Flags & { port: string; filesystem: string; hostPid?: string }) => {
      const stateFolder = path.resolve(flags.state);
      const filesystem = (await fleetFilesystem(stateFolder)) ?? fleetFilesystemNamed(flags.filesystem);
      const hostPid = Number(flags.hostPid ?? process.pid);
      await serve({ stateFolder, port: Number(flags.port), filesystem, tell }, hostPid);
    });
  local
    .command('run')
    .description('start patch-fleet and follow it')
    .option(...stateOption)
    .option('--update <name>', 'the update', 'security')
    .option('--dry-run', 'stop before anything is changed; report targets, classes and cost')
    .option('--representative <kind>', 'auto, live or clone')
    .action(async (flags: Flags & { update: string; dryRun?: boolean; representative?: string }) => {
      if (!(await run(path.resolve(flags.state), flags, tell))) process.exitCode = 1;
    });
  local
    .command('roll-back')
    .description('put the old volumes of a run back')
    .argument('<run>', 'name of the run')
    .option(...stateOption)
    .action(async (run: string, flags: Flags) => {
      if (!(await rollBack(path.resolve(flags.state), run, tell))) process.exitCode = 1;
    });
  local
    .command('status')
    .description('what serves, and the machines of the fleet')
    .option(...stateOption)
    .action((flags: Flags) => status(path.resolve(flags.state), tell));
  local
    .command('down')
    .description('stop it; the fleet stays in the state folder')
    .option(...stateOption)
    .action((flags: Flags) => down(path.resolve(flags.state), tell));
  return local;
}

async function up(
  folder: string,
  port: string,
  filesystem: string,
  tell: (line: string) => void,
): Promise<void> {
  const running = await servingCloud(folder);
  if (running !== undefined) return tell(`it serves already, at ${running.url}`);
  const wanted = (await fleetFilesystem(folder)) ?? fleetFilesystemNamed(filesystem);
  await ensureRequirements(tell, wanted === 'ext4' ? [] : KERNEL_ENGINE_PROGRAMS);
  await mkdir(folder, { recursive: true });
  const logFile = path.join(folder, 'serve.log');
  const log = await openFile(logFile, 'w');
  const entry = [
    ...process.execArgv,
    process.argv[1] ?? '',
    'local',
    'serve',
    '--state',
    folder,
    '--port',
    port,
    '--filesystem',
    wanted,
  ];
  // The shell tells the child its own number on the host before it disappears into a process namespace.
  const child = spawn('sh', ['-c', 'exec "$@" --host-pid $$', 'sh', process.execPath, ...entry], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  const deadline = Date.now() + UP_SECONDS * 1000;
  while (Date.now() < deadline) {
    await sleep(500);
    const serving = await servingCloud(folder);
    if (serving !== undefined) {
      await log.close();
      return tell(
        `serving at ${serving.url}; for example: aws --endpoint-url ${serving.url} ec2 describe-instances`,
      );
    }
    if (child.exitCode !== null) break;
  }
  await log.close();
  throw new Error(`the cloud did not come up:\n${(await readFile(logFile, 'utf8')).slice(-4000)}`);
}

async function serve(options: CloudOptions, hostPid: number): Promise<void> {
  const { stateFolder: folder, filesystem, tell } = options;
  const open = await openCloud(options);
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  try {
    const fleet = await new Machines(open.clients).byName();
    if (fleet.size === 0) {
      await makeFleet(open, demoMachines({ filesystem }), 'distribution', tell);
      await writeFleetFilesystem(folder, filesystem);
    }
    await writeServingCloud(folder, { url: open.cloud.url, pid: hostPid, ...open.deployment });
    await stopped;
  } finally {
    await open.cloud.close();
    await clearServingCloud(folder);
  }
}

async function requireServing(folder: string): Promise<ServingCloud> {
  const serving = await servingCloud(folder);
  if (serving === undefined)
    throw new Error(`no cloud serves from ${folder}: start it with "imageelves local up"`);
  return serving;
}

async function run(
  folder: string,
  flags: { update: string; dryRun?: boolean; representative?: string },
  tell: (line: string) => void,
): Promise<boolean> {
  const serving = await requireServing(folder);
  const input = { update: flags.update, dryRun: flags.dryRun, representative: flags.representative };
  const name = runName('run', new Date());
  return follow(serving, serving.patchFleetArn, input, name, tell);
}

async function rollBack(folder: string, run: string, tell: (line: string) => void): Promise<boolean> {
  const serving = await requireServing(folder);
  return follow(serving, serving.rollBackRunArn, { run }, runName('roll-back', new Date()), tell);
}

/** Starts a state machine, tells what it does and how it ended; true when it succeeded. */
async function follow(
  serving: ServingCloud,
  stateMachineArn: string,
  input: Readonly<Record<string, unknown>>,
  name: string,
  tell: (line: string) => void,
): Promise<boolean> {
  const finished = await runAndWatch(clientsOf(serving.url), serving, stateMachineArn, input, name, tell);
  if (finished.report !== undefined) tell(`\n${reportTable(finished.report as Report)}`);
  if (finished.error !== undefined) tell(`${finished.error.name}: ${finished.error.cause}`);
  return finished.status === 'SUCCEEDED';
}

async function status(folder: string, tell: (line: string) => void): Promise<void> {
  const serving = await requireServing(folder);
  tell(`serving at ${serving.url} (process ${serving.pid})`);
  for (const [name, instance] of await new Machines(clientsOf(serving.url)).byName()) {
    tell(`${name.padEnd(16)} ${instance.InstanceId} ${instance.State?.Name}`);
  }
}

async function down(folder: string, tell: (line: string) => void): Promise<void> {
  const serving = await servingCloud(folder);
  if (serving === undefined) return tell('nothing serves');
  process.kill(serving.pid, 'SIGTERM');
  const deadline = Date.now() + DOWN_SECONDS * 1000;
  while (Date.now() < deadline) {
    await sleep(250);
    if ((await servingCloud(folder)) === undefined)
      return tell('stopped; the fleet is still there: "imageelves local up" brings it back');
  }
  throw new Error(`process ${serving.pid} still runs after ${DOWN_SECONDS} s`);
}
