import { CreateSnapshotCommand } from '@aws-sdk/client-ec2';
import { isSnapshotReadable } from '../../aws/ec2/instance-snapshots';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SNAPSHOT_BLOCK_BYTES } from '../../core/block-device/block-device';
import { addInstance, importVolume, type NewInstance } from '../../local/state';
import type { TestServices } from './aws-services';

export interface TestMachine {
  readonly instanceId: string;
  readonly volumeId: string;
}

export interface MachineOptions extends Partial<Omit<NewInstance, 'volumeId' | 'privateIp'>> {
  /** Content of the root volume by block index; a volume of 1 GiB. */
  readonly blocks?: Readonly<Record<number, Uint8Array>>;
  /** Instead of blocks: a raw disk of at most 1 GiB. */
  readonly rawFile?: string;
  readonly running?: boolean;
}

/** Puts a machine into the fleet of the embedded cloud. */
export async function addMachine(
  { state }: TestServices,
  { blocks = {}, rawFile, running = false, ...instance }: MachineOptions = {},
): Promise<TestMachine> {
  const { volumeId } = await emptyVolume(state);
  const content = rawFile === undefined ? blocks : await blocksOf(rawFile);
  for (const [index, bytes] of Object.entries(content)) {
    await state.storage.writeBlock(volumeId, Number(index), bytes);
  }
  const { instanceId } = addInstance(state, {
    name: 'machine',
    privateIp: '10.0.0.5',
    ...instance,
    volumeId,
    overrides: { ...(running ? { state: 'running' } : {}), ...instance.overrides },
  });
  return { instanceId, volumeId };
}

/** The blocks of a raw disk that hold anything. */
async function blocksOf(rawFile: string): Promise<Record<number, Uint8Array>> {
  const zeros = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
  const blocks: Record<number, Uint8Array> = {};
  const file = await open(rawFile);
  try {
    for (let index = 0; ; index += 1) {
      const block = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
      const start = index * SNAPSHOT_BLOCK_BYTES;
      if ((await file.read(block, 0, SNAPSHOT_BLOCK_BYTES, start)).bytesRead === 0) return blocks;
      if (!block.equals(zeros)) blocks[index] = block;
    }
  } finally {
    await file.close();
  }
}

async function emptyVolume(state: TestServices['state']): Promise<{ volumeId: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'imageelves-volume-'));
  const rawFile = path.join(folder, 'disk.raw');
  await writeFile(rawFile, '');
  await truncate(rawFile, 1);
  const volume = await importVolume(state, { rawFile });
  await rm(folder, { recursive: true });
  return volume;
}

/** A snapshot of the root volume that EBS direct can read. */
export async function snapshotOf(services: TestServices, { volumeId }: TestMachine): Promise<string> {
  const { SnapshotId } = await services.ec2.send(new CreateSnapshotCommand({ VolumeId: volumeId }));
  while (!(await isSnapshotReadable(services.ec2, services.ebs, SnapshotId!))) await services.pause(1000);
  return SnapshotId!;
}
