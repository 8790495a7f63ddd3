import { mkdir, mkdtemp, rm, rmdir, truncate, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mapperName, type AttachedDisk } from '../disks/disk-filesystems';
import { logicalVolumesOf, makeVolumeGroup } from '../disks/logical-volumes';
import { mountFilesystem, unmountMachine } from '../disks/mount-machine';
import { partsOf } from '../disks/partitions';
import { runOnLoop, type DiskRange } from '../disks/run-on-loop';
import type { DiskLayout, DiskPlan, FilesystemPlan, PartitionPlan } from './disk-layout';
import { runProgram } from './run-program';

/** A filesystem of a layout, made. */
export interface MadeFilesystem extends DiskRange, FilesystemPlan {
  /** What fstab calls it. */
  readonly source: string;
}

/** The disks of one machine. */
export interface MachineDisks {
  readonly disks: readonly AttachedDisk[];
  readonly filesystems: readonly MadeFilesystem[];
}

const PARTITION_TYPES: Readonly<Record<PartitionPlan['type'], string>> = {
  'bios-boot': '21686148-6449-6E6F-744E-656564454649',
  'efi-system': 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  linux: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
  'linux-root': '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  lvm: 'E6D6D379-F507-44C2-A23C-238F2A3DF928',
};

const MAKE_FILESYSTEM: Readonly<Record<FilesystemPlan['kind'], string>> = {
  ext4: 'mkfs.ext4 -q -F -L "$1" "$device"',
  xfs: 'mkfs.xfs -q -f -L "$1" "$device"',
  btrfs: 'mkfs.btrfs -q -f -L "$1" "$device"',
  // Something to boot, so that it is not empty; a host kernel need not know FAT.
  vfat: `mkfs.vfat -I -n "$1" "$device" >/dev/null
    mmd -i "$device" ::/EFI ::/EFI/debian
    echo 'search.fs_label root' | mcopy -i "$device" - ::/EFI/debian/grub.cfg`,
};

/** tune2fs gives a UUID only to a filesystem that was checked since it was mounted. */
const GIVE_UUID: Readonly<Record<FilesystemPlan['kind'], string | undefined>> = {
  ext4: 'tune2fs -U "$1" "$device" >/dev/null 2>&1 || { e2fsck -f -p "$device"; tune2fs -U "$1" "$device"; } >/dev/null',
  xfs: 'xfs_admin -U "$1" "$device" >/dev/null',
  btrfs: 'btrfstune -f -M "$1" "$device" >/dev/null',
  // Four bytes that only mkfs.vfat sets.
  vfat: undefined,
};

/** Partitions, groups and filesystems of a layout in new sparse files; every filesystem is empty. */
export async function makeDisks(layout: DiskLayout, files: readonly string[]): Promise<MachineDisks> {
  const filesystems: MadeFilesystem[] = [];
  for (const [index, plan] of layout.disks.entries())
    filesystems.push(...(await makeDisk(plan, files[index] as string)));
  for (const filesystem of filesystems) {
    const { kind, label } = filesystem;
    await runOnLoop(filesystem, MAKE_FILESYSTEM[kind], [label]);
    if (kind === 'btrfs') await makeSubvolumes(filesystem);
  }
  const disks = layout.disks.map(({ device }, index) => ({ device, file: files[index] as string }));
  return { disks, filesystems: await Promise.all(filesystems.map(named)) };
}

async function makeDisk(plan: DiskPlan, file: string): Promise<MadeFilesystem[]> {
  await writeFile(file, '');
  await truncate(file, plan.sizeBytes);
  const whole = { file, offsetBytes: 0, sizeBytes: plan.sizeBytes };
  if (plan.bare) return [{ ...whole, ...plan.bare, source: '' }];
  const partitions = plan.partitions ?? [];
  const lines = partitions.map(({ type, sizeBytes }) =>
    [
      `type=${PARTITION_TYPES[type]}`,
      ...(sizeBytes === undefined ? [] : [`size=${sizeBytes / 512}`]),
      ...(type === 'linux-root' ? ['name=root'] : []),
    ].join(', '),
  );
  await runProgram('sfdisk', ['--quiet', file], { input: ['label: gpt', ...lines, ''].join('\n') });
  const made: MadeFilesystem[] = [];
  for (const { number, offsetBytes, sizeBytes } of await partsOf(file)) {
    const { filesystem, volumeGroup } = partitions[(number ?? 0) - 1] ?? {};
    const range = { file, offsetBytes, sizeBytes };
    if (filesystem) made.push({ ...range, ...filesystem, source: '' });
    if (volumeGroup) made.push(...(await makeGroup(range, volumeGroup)));
  }
  return made;
}

async function makeGroup(
  range: DiskRange,
  { name, volumes }: NonNullable<PartitionPlan['volumeGroup']>,
): Promise<MadeFilesystem[]> {
  await makeVolumeGroup(range, name, volumes);
  const places = await logicalVolumesOf(range);
  return volumes.map((volume) => {
    const place = places.find((candidate) => candidate.name === volume.name);
    if (!place) throw new Error(`lvm2 made no volume ${name}/${volume.name}.`);
    const { file, offsetBytes, sizeBytes } = place;
    return { file, offsetBytes, sizeBytes, ...volume.filesystem, source: mapperName(name, volume.name) };
  });
}

async function makeSubvolumes(filesystem: MadeFilesystem): Promise<void> {
  const top = await mkdtemp(path.join(tmpdir(), 'fleet-btrfs-'));
  await mountFilesystem(filesystem, top, []);
  try {
    for (const { subvolume } of filesystem.mounts) {
      if (subvolume === undefined) continue;
      await runProgram('btrfs', ['subvolume', 'create', path.join(top, subvolume)]);
    }
  } finally {
    await unmountMachine(top);
    await rmdir(top);
  }
}

async function named(filesystem: MadeFilesystem): Promise<MadeFilesystem> {
  if (filesystem.source.startsWith('/dev/')) return filesystem;
  if (filesystem.calledBy === 'LABEL') return { ...filesystem, source: `LABEL=${filesystem.label}` };
  return { ...filesystem, source: `UUID=${await uuidOf(filesystem)}` };
}

async function uuidOf({ file, offsetBytes, sizeBytes }: DiskRange): Promise<string> {
  const where = ['--offset', String(offsetBytes), '--size', String(sizeBytes)];
  const tags = await runProgram('blkid', [
    '--probe',
    '--output',
    'value',
    '--match-tag',
    'UUID',
    ...where,
    file,
  ]);
  return tags.trim();
}

/** Copies disks: by reflink where the storage can, else their data without the holes. */
export async function copyDisks(from: MachineDisks, files: readonly string[]): Promise<MachineDisks> {
  const moved = new Map<string, string>();
  for (const [index, { file }] of from.disks.entries()) {
    const to = files[index] as string;
    // Where the storage has no reflinks, copying a sparse disk any other way would fill it up.
    await runProgram('cp', ['--reflink=auto', '--sparse=always', file, to]);
    moved.set(file, to);
  }
  const at = <T extends { readonly file: string }>(part: T): T => ({
    ...part,
    file: moved.get(part.file) as string,
  });
  return { disks: from.disks.map(at), filesystems: from.filesystems.map(at) };
}

/** Gives every filesystem a UUID of its own, where the kind has a tool for it. */
export async function giveUuids(machine: MachineDisks): Promise<MachineDisks> {
  const filesystems: MadeFilesystem[] = [];
  for (const filesystem of machine.filesystems) {
    const script = GIVE_UUID[filesystem.kind];
    const uuid = randomUUID();
    if (script !== undefined) await runOnLoop(filesystem, script, [uuid]);
    const isCalled = script !== undefined && filesystem.source.startsWith('UUID=');
    filesystems.push(isCalled ? { ...filesystem, source: `UUID=${uuid}` } : filesystem);
  }
  return { ...machine, filesystems };
}

export async function removeDisks({ disks }: MachineDisks): Promise<void> {
  for (const { file } of disks) await rm(file);
}

/** The machine's /etc/fstab, parents before what is mounted below them. */
export function fstabOf({ filesystems }: MachineDisks): string {
  return mountsOf(filesystems)
    .map(({ source, kind, mountPoint, subvolume, options, check }) => {
      const all = [...options.split(','), ...(subvolume === undefined ? [] : [`subvol=${subvolume}`])];
      return `${source} ${mountPoint} ${kind} ${all.join(',')} 0 ${check}\n`;
    })
    .join('');
}

const mountsOf = (filesystems: readonly MadeFilesystem[]) =>
  filesystems
    .flatMap(({ mounts, ...filesystem }) => mounts.map((mount) => ({ ...filesystem, ...mount })))
    .sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1));

/** Mounts the disks as their layout says, for as long as `use` runs. FAT stays unmounted: a host kernel need not know it. */
export async function withMounted<T>(
  { filesystems }: MachineDisks,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(path.join(tmpdir(), 'fleet-root-'));
  let mounted = false;
  try {
    for (const { mountPoint, subvolume, ...filesystem } of mountsOf(filesystems)) {
      const folder = path.join(root, mountPoint);
      await mkdir(folder, { recursive: true });
      if (filesystem.kind === 'vfat') continue;
      await mountFilesystem(filesystem, folder, subvolume === undefined ? [] : [`subvol=${subvolume}`]);
      mounted = true;
    }
    return await use(root);
  } finally {
    if (mounted) await unmountMachine(root);
    await rmdir(root);
  }
}
