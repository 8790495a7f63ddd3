import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import {
  aptSources,
  bootstrapTree,
  checkRootFilesystem,
  makeBaseDisk,
  withRootMounted,
  type PackageSet,
} from './base-image';
import { copyDisk, makeMachineDisk, type LocalChange } from './machine-disk';
import { buildBannerPackage, indexRepository, repackWithHigherVersion } from './package-repository';
import { runProgram } from './run-program';

/** The value of the machines' tag `Patch Group`: what the app's default targets name (cdk.json). */
const PATCH_GROUP = 'production';

const WEB: PackageSet = { name: 'web', packages: ['nginx-light'] };
const APP: PackageSet = { name: 'app', packages: [] };

/** One machine of the fleet as it is to be made. */
export interface FleetMachine {
  readonly name: string;
  readonly set: PackageSet;
  readonly state: 'running' | 'stopped';
  readonly change: LocalChange;
  /** A copy of this machine's disk, made right after it: same identity, same content, other instance. */
  readonly twinOf?: string;
}

/** Where made machines go: the embedded cloud's EC2. */
export interface FleetRegistry {
  /** Boots the disk and powers it off: what only a first boot makes is then there, as on any machine that has worked. */
  bootOnce(diskFile: string): Promise<void>;
  /** Path on the cloud's own storage where the disk of a new volume may be made (reflinks work there). */
  newVolumeFile(): Promise<string>;
  /** Takes the disk file over as an EBS volume and puts an instance on it. */
  addInstance(machine: {
    name: string;
    diskFile: string;
    state: 'running' | 'stopped';
    tags: Readonly<Record<string, string>>;
  }): Promise<{ instanceId: string }>;
}

export interface FleetOptions {
  readonly registry: FleetRegistry;
  /** Bootstrapped trees are kept here between fleets. */
  readonly cacheFolder: string;
  /** Scratch on the cloud's storage, and the repository made on the spot; the cloud serves it as http://repository.local. */
  readonly workFolder: string;
  readonly repositoryFolder: string;
  /** `distribution`: the security updates pending today, else repacked packages; `repository`: repacked packages only, the same on any day. */
  readonly pending: 'distribution' | 'repository';
  readonly tell: (line: string) => void;
}

/**
 * The demo fleet: two package sets, one machine running in each, eight stopped; of the stopped ones, one has a locally
 * edited configuration file that the update touches and one has an extra package.
 *
 * @param twinsOf machines that get a stopped copy outside the patch group, for the oracle to update online
 */
export function demoMachines({ stoppedPerSet = 4, twinsOf = [] as readonly string[] } = {}): FleetMachine[] {
  const machines: FleetMachine[] = [];
  for (const set of [WEB, APP]) {
    machines.push({ name: `${set.name}-1`, set, state: 'running', change: 'none' });
    for (let number = 2; number <= stoppedPerSet + 1; number += 1) {
      const last = number === stoppedPerSet + 1;
      const change: LocalChange = !last ? 'none' : set === WEB ? 'edited-configuration' : 'extra-package';
      const name = `${set.name}-${number}`;
      machines.push({ name, set, state: 'stopped', change });
      if (twinsOf.includes(name))
        machines.push({ name: `${name}-online`, set, state: 'stopped', change, twinOf: name });
    }
  }
  return machines;
}

/** Builds the machines and registers them. Needs root, a private mount namespace, and the Debian mirror. */
export async function buildFleet(machines: readonly FleetMachine[], options: FleetOptions): Promise<void> {
  const { tell } = options;
  const pool = path.join(options.repositoryFolder, 'pool');
  await mkdir(pool, { recursive: true });
  await mkdir(options.workFolder, { recursive: true });
  const banner = await buildBannerPackage('1.0', options.workFolder);
  await buildBannerPackage('1.1', pool);

  const sets = [...new Set(machines.map((machine) => machine.set))];
  const sources = aptSources(options.pending === 'distribution');
  const baseDisks = new Map<PackageSet, string>();
  let repack = options.pending === 'repository';
  for (const set of sets) {
    tell(`bootstrapping Debian 12 with ${set.packages.join(', ') || 'no extra packages'} (${set.name})`);
    const tree = await bootstrapTree(set, banner, options.cacheFolder);
    const disk = path.join(options.workFolder, `${set.name}.raw`);
    await makeBaseDisk(tree, sources, disk);
    await options.registry.bootOnce(disk);
    await checkRootFilesystem(disk);
    baseDisks.set(set, disk);
    if (!repack && (await pendingUpdates(disk)) === 0) {
      tell('the distribution has no security update pending today: using repacked packages');
      repack = true;
    }
    if (repack && set === sets.at(-1)) {
      const files = (await runProgram('find', [tree.poolFolder, '-name', '*.deb']))
        .split('\n')
        .filter((line) => line !== '');
      for (const file of files) await repackWithHigherVersion(file, pool);
    }
  }
  await indexRepository(options.repositoryFolder);

  const made = new Map<string, string>();
  for (const machine of machines) {
    const diskFile = await options.registry.newVolumeFile();
    const previous = made.get(machine.twinOf ?? '');
    if (previous === undefined)
      await makeMachineDisk(baseDisks.get(machine.set) as string, diskFile, machine);
    else await copyDisk(previous, diskFile);
    if (machines.some(({ twinOf }) => twinOf === machine.name)) {
      const kept = `${diskFile}.twin`;
      await copyDisk(diskFile, kept);
      made.set(machine.name, kept);
    }
    const { instanceId } = await options.registry.addInstance({
      name: machine.name,
      diskFile,
      state: machine.state,
      tags: {
        Name: machine.name,
        Role: machine.set.name,
        ...(previous === undefined ? { 'Patch Group': PATCH_GROUP } : {}),
      },
    });
    tell(
      `${machine.name} is ${instanceId}, ${machine.state}${machine.change === 'none' ? '' : `, ${machine.change.replace('-', ' ')}`}`,
    );
  }
  for (const disk of [...baseDisks.values(), ...made.values()]) await rm(disk);
}

/** How many packages the distribution's archives would upgrade on this disk now. */
async function pendingUpdates(disk: string): Promise<number> {
  return withRootMounted(disk, async (root) => {
    const report = await runProgram('unshare', [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      `set -e
       mount -t tmpfs tmpfs "$1/var/lib/apt/lists"; mount -t tmpfs tmpfs "$1/var/cache/apt"
       touch "$1/etc/resolv.conf"; mount --bind /etc/resolv.conf "$1/etc/resolv.conf"
       chroot "$1" sh -c 'grep -v repository.local /etc/apt/sources.list > /tmp/sources.list
         mkdir -p /var/lib/apt/lists/partial /var/cache/apt/archives/partial
         apt-get -qq -o Dir::Etc::SourceList=/tmp/sources.list update >/dev/null; apt-get -s -o Dir::Etc::SourceList=/tmp/sources.list upgrade; rm /tmp/sources.list'`,
      'sh',
      root,
    ]);
    return report.split('\n').filter((line) => line.startsWith('Inst ')).length;
  });
}
