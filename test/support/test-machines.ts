import { CreateSnapshotCommand } from '@aws-sdk/client-ec2';
import { isSnapshotReadable } from '../../aws/ec2/instance-snapshots';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addInstance, importVolume, type NewInstance } from '../../local/state';
import type { TestServices } from './aws-services';

export interface TestMachine {
  readonly instanceId: string;
  readonly volumeId: string;
}

export interface MachineOptions extends Partial<Omit<NewInstance, 'volumeId' | 'privateIp'>> {
  /** Content of the root volume by block index; a volume of 1 GiB. */
  readonly blocks?: Readonly<Record<number, Uint8Array>>;
  /** Instead of blocks: a raw disk. */
  readonly rawFile?: string;
  readonly running?: boolean;
}

/** Puts a machine into the fleet of the embedded cloud. */
export async function addMachine(
  { state }: TestServices,
  { blocks = {}, rawFile, running = false, ...instance }: MachineOptions = {},
): Promise<TestMachine> {
  const { volumeId } = rawFile === undefined ? await emptyVolume(state) : await importVolume(state, { rawFile });
  for (const [index, bytes] of Object.entries(blocks)) {
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
