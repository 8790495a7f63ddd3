#!/usr/bin/env node
import { Command } from 'commander';
import path from 'node:path';
import { FLEET_FILESYSTEMS, fleetFilesystemNamed } from '../local/fleet/fleet-machines';
import { reexecInPrivateNamespace } from '../local/start';
import { demo } from './demo';
import { localCommands } from './local/commands';
import { oracleCaseNamed } from './oracle/cases/all-cases';
import { oracle, oracleList } from './oracle/oracle';
import { PROJECT_FOLDER } from './local/synthesize';

const DEFAULT_PORT = 4599;
const stateOption = [
  '--state <folder>',
  'where the fleet and everything about it is kept',
  path.join(PROJECT_FOLDER, '.imageelves', 'demo'),
] as const;
const pendingOption = [
  '--pending <where>',
  'what the update installs: "distribution" (the security updates pending today) or "repository" (repacked packages, the same on any day)',
  'distribution',
] as const;

const filesystemOption = [
  '--filesystem <name>',
  `what the machines have their files on: ${FLEET_FILESYSTEMS.join(', ')}`,
  'ext4',
] as const;

const started = performance.now();
const tell = (line: string): void =>
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} ${line}`);

interface FleetFlags {
  readonly state: string;
  readonly port: string;
  readonly pending: string;
  readonly filesystem: string;
}

function fleetOptions(flags: FleetFlags) {
  if (flags.pending !== 'distribution' && flags.pending !== 'repository') {
    throw new Error(`--pending is "${flags.pending}": it may be distribution or repository`);
  }
  return {
    stateFolder: path.resolve(flags.state),
    port: Number(flags.port),
    pending: flags.pending,
    filesystem: fleetFilesystemNamed(flags.filesystem),
    tell,
  } as const;
}

const program = new Command('imageelves').description(
  'Patch a fleet of EC2 instances, the stopped ones included, without starting them.',
);

program
  .command('demo')
  .description('build a fleet of real machines on this host and patch it')
  .option(...stateOption)
  .option('--port <number>', 'loopback port of the embedded cloud', String(DEFAULT_PORT))
  .option(...pendingOption)
  .option(...filesystemOption)
  .action(async (flags: FleetFlags) => {
    const { problems } = await demo(fleetOptions(flags));
    if (problems.length === 0)
      return tell('all is well: no stopped machine was started, and each is patched');
    for (const problem of problems) tell(`PROBLEM ${problem}`);
    process.exitCode = 1;
  });

program
  .command('oracle')
  .description('compare offline patched machines with copies that were updated online')
  .argument('[case]', 'one of `oracle list`', 'security')
  .option('--state <folder>', stateOption[1], path.join(PROJECT_FOLDER, '.imageelves', 'oracle'))
  .option('--port <number>', 'loopback port of the embedded cloud', '0')
  .option(...pendingOption)
  .option(...filesystemOption)
  .option('--json <file>', 'write the result there')
  .action(async (name: string, flags: FleetFlags & { json?: string }) => {
    if (name === 'list') return console.log(oracleList());
    if (!(await oracle(oracleCaseNamed(name), fleetOptions(flags), flags.json))) process.exitCode = 1;
  });

program.addCommand(localCommands({ stateOption, filesystemOption, defaultPort: DEFAULT_PORT, tell }));

async function main(): Promise<void> {
  const [command = '', what] = process.argv.slice(2);
  const needsNamespace = (['demo', 'oracle'].includes(command) && what !== 'list') || what === 'serve';
  if (needsNamespace && process.getuid?.() === 0) {
    const exitCode = await reexecInPrivateNamespace();
    if (exitCode !== undefined) process.exit(exitCode);
  }
  await program.parseAsync();
}

main().catch((error: Error) => {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
});
