import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filesystemsOf } from '../../local/disks/disk-filesystems';
import { mountMachine, unmountMachine } from '../../local/disks/mount-machine';
import * as layouts from '../../local/fleet/disk-layout';
import {
  copyDisks,
  fstabOf,
  giveUuids,
  makeDisks,
  withMounted,
  type MachineDisks,
} from '../../local/fleet/make-disks';
import { reexecInPrivateNamespace } from '../../local/start';

/** A program for tests: makes disks of every layout, copies them, mounts the copies by their fstab; tells as JSON what came of it. */
async function main(): Promise<void> {
  const exitCode = await reexecInPrivateNamespace();
  if (exitCode !== undefined) process.exit(exitCode);
  const folder = await mkdtemp(path.join(tmpdir(), 'imageelves-layouts-'));
  try {
    const told: unknown[] = [];
    for (const layout of Object.values(layouts)) told.push(await makeAndMount(layout, folder));
    process.stdout.write(JSON.stringify(told));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function makeAndMount(layout: layouts.DiskLayout, folder: string): Promise<unknown> {
  const files = (what: string): string[] =>
    layout.disks.map((_disk, index) =>
      path.join(folder, `${layout.name.replaceAll('/', '')}-${what}-${index}`),
    );
  const base = await makeDisks(layout, files('base'));
  const machine = await giveUuids(await copyDisks(base, files('machine')));
  const mountPoints = machine.filesystems.flatMap(({ mounts, kind }) =>
    kind === 'vfat' ? [] : mounts.map(({ mountPoint }) => mountPoint),
  );
  await withMounted(machine, async (root) => {
    await mkdir(path.join(root, 'etc'));
    await writeFile(path.join(root, 'etc/fstab'), fstabOf(machine));
    for (const mountPoint of mountPoints) await writeFile(path.join(root, mountPoint, 'which'), mountPoint);
  });
  const root = path.join(folder, 'root');
  const { mounted, notMounted } = await mountMachine(machine.disks, root);
  const found: string[] = [];
  for (const mountPoint of mountPoints) {
    const file = path.join(mountPoint, 'which');
    if ((await readFile(path.join(root, file), 'utf8')) === mountPoint) found.push(file);
  }
  await unmountMachine(root);
  return {
    layout: layout.name,
    fstab: fstabOf(machine),
    mounted,
    notMounted,
    files: found,
    uuidsBefore: await uuidsOf(base),
    uuidsAfter: await uuidsOf(machine),
  };
}

/** FAT's serial numbers, of nine characters, cannot be changed. */
async function uuidsOf({ disks }: MachineDisks): Promise<string[]> {
  const names = (await filesystemsOf(disks)).flatMap((filesystem) => filesystem.names);
  return names.flatMap((name) => /^UUID=(\S{36})$/.exec(name)?.[1] ?? []);
}

void main();
