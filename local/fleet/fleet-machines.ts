import type { PackageSet } from './base-tree';
import { BTRFS, EXT4, TWO_VOLUMES, XFS, XFS_EXT4_BOOT, XFS_ON_LVM, type DiskLayout } from './disk-layout';
import type { LocalChange } from './machine-disk';

const WEB: PackageSet = { name: 'web', packages: ['nginx-light'] };
/** Appended to a machine's name: its copy. */
export const TWIN_SUFFIX = '-online';

const APP: PackageSet = { name: 'app', packages: [] };

/** One machine of the fleet as it is to be made. */
export interface FleetMachine {
  readonly name: string;
  readonly set: PackageSet;
  readonly layout: DiskLayout;
  readonly state: 'running' | 'stopped';
  readonly change: LocalChange;
  /** A copy of this machine's disks, made right after it: same identity, same content, other instance. */
  readonly twinOf?: string;
}

/**
 * A small fleet of one class: a running machine and two stopped ones, of which one has an extra package with an account of
 * its own. Each of the stopped has a twin.
 */
export function smallFleet(set: PackageSet): FleetMachine[] {
  const machine = { set, layout: EXT4, state: 'stopped', change: 'none' } as const;
  const stopped: FleetMachine[] = [
    { ...machine, name: 'birch-02' },
    { ...machine, name: 'cedar-03', change: 'extra-package' },
  ];
  return [
    { ...machine, name: 'amber-01', state: 'running' },
    ...stopped.flatMap((one) => [one, { ...one, name: `${one.name}${TWIN_SUFFIX}`, twinOf: one.name }]),
  ];
}

export const FLEET_FILESYSTEMS = ['ext4', 'xfs', 'mixed'] as const;
export type FleetFilesystem = (typeof FLEET_FILESYSTEMS)[number];

/** @throws RangeError naming those that there are */
export function fleetFilesystemNamed(name: string): FleetFilesystem {
  const found = FLEET_FILESYSTEMS.find((filesystem) => filesystem === name);
  if (found === undefined) throw new RangeError(`"${name}" is none of ${FLEET_FILESYSTEMS.join(', ')}`);
  return found;
}

/** Layouts of the machines of a package set, in order; the last machine of a set has the last of them. */
const LAYOUTS: Readonly<Record<FleetFilesystem, { web: readonly DiskLayout[]; app: readonly DiskLayout[] }>> =
  {
    ext4: { web: [EXT4], app: [EXT4] },
    xfs: { web: [XFS], app: [XFS_EXT4_BOOT] },
    // One class spans them all: what is equal is the tree, not the disk.
    mixed: {
      web: [XFS, XFS_ON_LVM, TWO_VOLUMES, EXT4, BTRFS],
      app: [TWO_VOLUMES, XFS_EXT4_BOOT, BTRFS, BTRFS, EXT4],
    },
  };

/**
 * The demo fleet: two package sets, one machine running in each, eight stopped; of the stopped ones, one has a locally
 * edited configuration file that the update touches and one has an extra package.
 *
 * @param twinsOf machines that get a stopped copy outside the patch group, for the oracle to update online
 */
export function demoMachines({
  filesystem = 'ext4' as FleetFilesystem,
  stoppedPerSet = 4,
  twinsOf = [] as readonly string[],
} = {}): FleetMachine[] {
  const machines: FleetMachine[] = [];
  for (const set of [WEB, APP]) {
    const layouts = LAYOUTS[filesystem][set === WEB ? 'web' : 'app'];
    for (let number = 1; number <= stoppedPerSet + 1; number += 1) {
      const state = number === 1 ? 'running' : 'stopped';
      const last = number === stoppedPerSet + 1;
      const layout = ((last ? undefined : layouts[number - 1]) ?? layouts.at(-1)) as DiskLayout;
      const change: LocalChange = !last ? 'none' : set === WEB ? 'edited-configuration' : 'extra-package';
      const machine: FleetMachine = { name: `${set.name}-${number}`, set, layout, state, change };
      machines.push(machine);
      if (twinsOf.includes(machine.name))
        machines.push({ ...machine, name: `${machine.name}${TWIN_SUFFIX}`, twinOf: machine.name });
    }
  }
  return machines;
}
