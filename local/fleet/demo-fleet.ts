import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { AttachedDisk } from '../disks/disk-filesystems';
import { aptSources, bootstrapTree, type BaseTree, type PackageSet } from './base-tree';
import type { DiskLayout } from './disk-layout';
import type { FleetMachine } from './fleet-machines';
import { makeBaseDisks, makeMachineDisks, makeSameTree } from './machine-disk';
import { copyDisks, removeDisks, withMounted, type MachineDisks } from './make-disks';
import { buildBannerPackage, indexRepository, repackWithHigherVersion } from './package-repository';
import { runProgram } from './run-program';

/** The value of the machines' tag `Patch Group`: what the app's default targets name (cdk.json). */
const PATCH_GROUP = 'production';

/** Where made machines go: the embedded cloud's EC2. */
export interface FleetRegistry {
  /** Boots the disks and powers them off: what only a first boot makes is then there, as on any machine that has worked. */
  bootOnce(name: string, disks: readonly AttachedDisk[]): Promise<void>;
  /** Path on the cloud's own storage where the disk of a new volume may be made (reflinks work there). */
  newVolumeFile(): Promise<string>;
  /** Takes the disk files over as EBS volumes and puts an instance on them; the first is the root volume. */
  addInstance(machine: {
    name: string;
    disks: readonly AttachedDisk[];
    state: 'running' | 'stopped';
    tags: Readonly<Record<string, string>>;
  }): Promise<{ instanceId: string }>;
}

/**
 * What an upgrade of the fleet brings. `distribution`: the security updates pending today, else repacked packages;
 * `repository`: repacked packages only, the same on any day; `nothing`: machines have the point release and stay with it.
 */
export type PendingUpdates = 'distribution' | 'repository' | 'nothing';

export interface FleetOptions {
  readonly registry: FleetRegistry;
  /** Bootstrapped trees are kept here between fleets. */
  readonly cacheFolder: string;
  /** Scratch on the cloud's storage, and the repository made on the spot; the cloud serves it as http://repository.local. */
  readonly workFolder: string;
  readonly repositoryFolder: string;
  readonly pending: PendingUpdates;
  /** Puts more into the repository folder, before machines are made. */
  readonly publish?: (repositoryFolder: string) => Promise<void>;
  readonly tell: (line: string) => void;
}

/** Builds the machines and registers them. Needs root, a private mount namespace, and the Debian mirror. */
export async function buildFleet(machines: readonly FleetMachine[], options: FleetOptions): Promise<void> {
  const { tell, registry } = options;
  const pool = path.join(options.repositoryFolder, 'pool');
  await mkdir(pool, { recursive: true });
  await mkdir(options.workFolder, { recursive: true });
  const banner = await buildBannerPackage('1.0', options.workFolder);
  if (options.pending !== 'nothing') await buildBannerPackage('1.1', pool);
  await options.publish?.(options.repositoryFolder);

  const bases = new BaseDisks(registry);
  let repack = options.pending === 'repository';
  const first = firstOfEachSet(machines);
  // Beside each other: much of the time goes by in waiting for the mirror.
  const trees = await Promise.all(
    first.map(({ set }) => {
      tell(`bootstrapping Debian 12 with ${set.packages.join(', ') || 'no extra packages'} (${set.name})`);
      return bootstrapTree(set, banner, options.cacheFolder);
    }),
  );
  for (const [index, { set, layout }] of first.entries()) {
    const tree = trees[index]!;
    const disks = await bases.makeFirst(set, layout, tree, aptSources(options.pending === 'distribution'));
    if (options.pending === 'distribution' && !repack && (await pendingUpdates(disks)) === 0) {
      tell('the distribution has no security update pending today: using repacked packages');
      repack = true;
    }
  }
  const last = trees.at(-1);
  if (repack && last) await repackPool(last, pool);
  await indexRepository(options.repositoryFolder);

  const kept = new Map<string, MachineDisks>();
  for (const machine of machines) {
    const original = kept.get(machine.twinOf ?? '');
    const files = await newFiles(registry, machine.layout);
    const made = original
      ? await copyDisks(original, files)
      : await makeMachineDisks(await bases.of(machine.set, machine.layout), files, machine);
    if (machines.some(({ twinOf }) => twinOf === machine.name))
      kept.set(machine.name, await copyDisks(made, await newFiles(registry, machine.layout)));
    const { instanceId } = await registry.addInstance({
      name: machine.name,
      disks: made.disks,
      state: machine.state,
      tags: {
        Name: machine.name,
        Role: machine.set.name,
        ...(original === undefined ? { 'Patch Group': PATCH_GROUP } : {}),
      },
    });
    const facts = [
      machine.state,
      ...(machine.layout.name === 'ext4' ? [] : [machine.layout.name]),
      ...(machine.change === 'none' ? [] : [machine.change.replace('-', ' ')]),
    ];
    tell(`${machine.name} is ${instanceId}, ${facts.join(', ')}`);
  }
  for (const disks of [...bases.all(), ...kept.values()]) await removeDisks(disks);
}

/** One set of disks for each package set and layout: the first of a set has booted, the others have its very tree. */
class BaseDisks {
  private readonly made = new Map<PackageSet, Map<DiskLayout, MachineDisks>>();

  constructor(private readonly registry: FleetRegistry) {}

  async makeFirst(
    set: PackageSet,
    layout: DiskLayout,
    tree: BaseTree,
    sources: string,
  ): Promise<MachineDisks> {
    const disks = await makeBaseDisks(
      layout,
      tree,
      sources,
      await newFiles(this.registry, layout),
      set.becomes,
    );
    await this.registry.bootOnce(set.name, disks.disks);
    this.made.set(set, new Map([[layout, disks]]));
    return disks;
  }

  async of(set: PackageSet, layout: DiskLayout): Promise<MachineDisks> {
    const ofSet = this.made.get(set);
    const [first] = ofSet?.values() ?? [];
    if (!ofSet || !first) throw new Error(`The first disks of ${set.name} are not made.`);
    const disks =
      ofSet.get(layout) ?? (await makeSameTree(first, layout, await newFiles(this.registry, layout)));
    ofSet.set(layout, disks);
    return disks;
  }

  all(): MachineDisks[] {
    return [...this.made.values()].flatMap((ofSet) => [...ofSet.values()]);
  }
}

const firstOfEachSet = (machines: readonly FleetMachine[]): FleetMachine[] =>
  machines.filter(({ set }, index) => machines.findIndex((other) => other.set === set) === index);

async function newFiles(registry: FleetRegistry, layout: DiskLayout): Promise<string[]> {
  const files: string[] = [];
  for (let index = 0; index < layout.disks.length; index += 1) files.push(await registry.newVolumeFile());
  return files;
}

async function repackPool(tree: BaseTree, pool: string): Promise<void> {
  const listing = await runProgram('find', [tree.poolFolder, '-name', '*.deb']);
  for (const file of listing.split('\n').filter((line) => line !== ''))
    await repackWithHigherVersion(file, pool);
}

/** How many packages the distribution's archives would upgrade on these disks now. */
async function pendingUpdates(disks: MachineDisks): Promise<number> {
  return withMounted(disks, async (root) => {
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
