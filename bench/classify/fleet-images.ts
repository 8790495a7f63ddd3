import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { runProgram } from '../../local/fleet/run-program';
import { debianTar } from '../../test/support/debian-tree';
import { BENCH_FOLDER } from '../bench-folder';
import type { MachinePlan, PackageSet } from './fleet-plan';
import type { ScratchStore } from './scratch-store';

/** The tree that the tests of the recorder use. */
const TREE = {
  installed: ['systemd', 'systemd-sysv', 'dbus', 'adduser', 'ucf', 'python3'],
  available: ['openssh-server', 'ca-certificates', 'cron'],
};
const AT_ONCE = 3;

export interface FleetImages {
  /** Of a machine before any update. */
  imageOf(machine: MachinePlan): string;
  /** The repository with the second versions. */
  readonly repository: string;
}

/** Builds each machine of the fleet: the base, its packages in their order, its identity, what was changed by hand. */
export async function makeFleetImages(
  store: ScratchStore,
  machines: readonly MachinePlan[],
  tell: (line: string) => void,
): Promise<FleetImages> {
  tell('bootstrapping Debian 12 (kept in the cache)');
  const tree = await debianTar(TREE, path.join(BENCH_FOLDER, '../.imageelves/test-cache'));
  const packages = store.file('packages');
  await runProgram('sh', [script('build_packages.sh'), packages]);
  const base = store.file('base.img');
  await runProgram('sh', [script('build_base.sh'), tree, base, store.path]);
  const limit = pLimit(AT_ONCE);
  tell('installing the packages of each package set');
  const sets = new Map<PackageSet, string>();
  const all = [...new Set(machines.map((machine) => machine.packages))];
  await Promise.all(
    all.map((set, index) =>
      limit(async () => {
        const image = store.file(`set-${index}.img`);
        await store.copy(base, image);
        await installPackages(image, set, packages);
        sets.set(set, image);
      }),
    ),
  );
  tell(`building ${machines.length} machines`);
  const makeMachine = await readFile(script('make_machine.sh'), 'utf8');
  const imageOf = ({ instanceId }: MachinePlan): string => store.file(`${instanceId}.img`);
  await Promise.all(
    machines.map((machine) =>
      limit(async () => {
        const image = imageOf(machine);
        await store.copy(sets.get(machine.packages)!, image);
        await runProgram('tune2fs', ['-U', machine.filesystemUuid, image]);
        const { hostName, machineId, filesystemUuid, change } = machine;
        await onMachine(image, makeMachine, [hostName, machineId, filesystemUuid, change.commands]);
      }),
    ),
  );
  return { imageOf, repository: path.join(packages, '2') };
}

async function installPackages(image: string, { installed }: PackageSet, packages: string): Promise<void> {
  const commands = installed.map((name) => {
    const version = name === 'epsilon' ? 2 : 1;
    return `cp "${packages}/${version}/bench-${name}_${version}.deb" "$ROOT/run/p.deb"; chroot "$ROOT" dpkg -i /run/p.deb`;
  });
  await onMachine(image, commands.join('\n'), []);
}

/** Runs a shell script with the machine's filesystems at $ROOT. @returns what it printed */
export function onMachine(
  image: string,
  commands: string,
  args: readonly string[],
  repository = '',
): Promise<string> {
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private', '--'];
  return runProgram('unshare', [
    ...namespaces,
    'env',
    `REPOSITORY=${repository}`,
    'sh',
    script('on_machine.sh'),
    image,
    commands,
    ...args,
  ]);
}

export const script = (name: string): string => path.join(BENCH_FOLDER, 'classify', name);
