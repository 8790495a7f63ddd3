import { execFile } from 'node:child_process';
import { open, truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Runs lvm(8) commands on disk images as it runs on a host without a device-mapper: metadata is written, nothing is
 * activated. `$0`, `$1`... in a command are the images.
 */
export async function onPhysicalVolumes(
  images: readonly string[],
  commands: readonly string[],
): Promise<string> {
  const loops: string[] = [];
  try {
    for (const image of images) loops.push((await run('losetup', ['--show', '-f', image])).stdout.trim());
    const filter = [...loops.map((loop) => `"a|^${loop}$|"`), '"r|.*|"'].join(',');
    const config = `devices { use_devicesfile=0 filter=[${filter}] }
      global { use_lvmpolld=0 use_lvmlockd=0 event_activation=0 }
      activation { udev_sync=0 udev_rules=0 } backup { backup=0 archive=0 }`;
    let output = '';
    for (const command of commands) {
      const [name, ...words] = command.split(/\s+/);
      const args = words.map((word) => word.replace(/^\$(\d)$/, (_, index: string) => loops[Number(index)]!));
      const environment = { ...process.env, DM_DISABLE_UDEV: '1', LVM_SUPPRESS_FD_WARNINGS: '1' };
      const all = [name!, '--driverloaded', 'n', '--config', config, ...args];
      output += (await run('lvm', all, { env: environment })).stdout;
    }
    return output;
  } finally {
    for (const loop of loops) await run('losetup', ['-d', loop]);
  }
}

/** Makes image files and a group of them, with extents of 1 MiB. */
export async function makeVolumeGroup(
  group: string,
  images: Readonly<Record<string, number>>,
  commands: readonly string[],
): Promise<string> {
  for (const [file, sizeMiB] of Object.entries(images)) {
    await writeFile(file, '');
    await truncate(file, sizeMiB * MIB);
  }
  const files = Object.keys(images);
  const names = files.map((_, index) => `$${index}`).join(' ');
  return onPhysicalVolumes(files, [
    `pvcreate -q --uuid ${UUIDS[0]} --norestorefile $0`,
    ...files
      .slice(1)
      .map((_, index) => `pvcreate -q --uuid ${UUIDS[index + 1]} --norestorefile $${index + 1}`),
    `vgcreate -q -s 1m ${group} ${names}`,
    ...commands,
  ]);
}

/** Of the physical volumes, in their order. */
export const UUIDS = ['aaaaaa-0000-0000-0000-0000-0000-000000', 'bbbbbb-0000-0000-0000-0000-0000-000000'];

const MIB = 1024 * 1024;
/** Where the first extent begins. */
const DATA_OFFSET_BYTES = MIB;

/** A run of extents (of 1 MiB) on one image, or alternating in chunks on several. */
export interface Piece {
  readonly on: readonly (readonly [image: string, firstExtent: number])[];
  readonly extents: number;
  readonly chunkBytes?: number;
}

/** Copies a filesystem's image file to where a logical volume of these pieces stands, or from there. */
export async function copyLogicalVolume(
  direction: 'in' | 'out',
  file: string,
  pieces: readonly Piece[],
): Promise<void> {
  await using flat = await open(file, direction === 'in' ? 'r' : 'w');
  let at = 0;
  for (const { on, extents, chunkBytes = MIB } of pieces) {
    for (let chunk = 0; chunk * chunkBytes < extents * MIB; chunk++) {
      const [image, firstExtent] = on[chunk % on.length]!;
      const place = DATA_OFFSET_BYTES + firstExtent * MIB + Math.floor(chunk / on.length) * chunkBytes;
      await using disk = await open(image, 'r+');
      const bytes = Buffer.alloc(chunkBytes);
      if (direction === 'in') {
        await flat.read(bytes, 0, chunkBytes, at);
        await disk.write(bytes, 0, chunkBytes, place);
      } else {
        await disk.read(bytes, 0, chunkBytes, place);
        await flat.write(bytes, 0, chunkBytes, at);
      }
      at += chunkBytes;
    }
  }
}
