import { CreateVolumeCommand, type Volume } from '@aws-sdk/client-ec2';
import type {
  ApplyDocument,
  PatchedSnapshot,
  TargetDocument,
  VolumeAttributes,
  VolumeDocument,
} from '../../core/workflow/documents';
import { applyKey, TAGS, targetKey, volumeKey } from '../../core/workflow/keys';
import type { CreateVolumeInput, CreateVolumeOutput } from '../../core/workflow/payloads';
import { clientToken } from '../client-token';
import { findVolume, findVolumesById } from '../ec2/describe';
import { tagSpecification } from '../ec2/tags';
import { volumeAttributes } from '../ec2/target';
import type { Services } from '../services';
import { VolumeFailedError } from './step-errors';

/** Tags that a resource may have. */
const MAX_TAGS = 50;

/**
 * Makes a volume of each patched snapshot, in everything else like the one it will replace, and says when all of them are
 * available. CreateVolume is idempotent by its token.
 */
export async function createVolume(
  services: Services,
  { run, instanceId }: CreateVolumeInput,
): Promise<CreateVolumeOutput> {
  const { documents, ec2 } = services;
  const key = volumeKey(run, instanceId);
  const known = await documents.find<VolumeDocument>(key);
  const volumes = [...(known?.volumes ?? [])];
  const startedAt = known?.startedAt ?? services.now().toISOString();
  const { snapshots } = await documents.read<ApplyDocument>(applyKey(run, instanceId));
  for (const snapshot of snapshots) {
    if (volumes.some(({ snapshotId }) => snapshotId === snapshot.snapshotId)) continue;
    const old = await oldAttributes(services, run, instanceId, snapshot);
    const created = await create(services, run, instanceId, snapshot, old);
    volumes.push({
      oldVolumeId: snapshot.volumeId,
      newVolumeId: created.VolumeId!,
      snapshotId: snapshot.snapshotId,
      deviceName: snapshot.deviceName,
    });
    await documents.write(key, { instanceId, volumes, startedAt } satisfies VolumeDocument);
  }
  const available = await Promise.all(
    volumes.map(({ newVolumeId }) => isAvailable(services, newVolumeId, startedAt)),
  );
  const done = available.every((one) => one);
  if (done && known?.endedAt === undefined) {
    const endedAt = services.now().toISOString();
    await documents.write(key, { instanceId, volumes, startedAt, endedAt } satisfies VolumeDocument);
  }
  return { done, volumeIds: volumes.map(({ newVolumeId }) => newVolumeId) };

  async function isAvailable({ now }: Services, volumeId: string, since: string): Promise<boolean> {
    const volume = await findVolume(ec2, volumeId);
    if (volume?.State === 'available' || volume?.State === 'in-use') return true;
    if (volume?.State === 'error') throw new VolumeFailedError(volumeId, 'went into the state error');
    // A key that may not be used makes a volume vanish after a good answer; a new one is not to be seen at first.
    const age = now().getTime() - Date.parse(since);
    if (volume === undefined && age > VANISHED_MS) throw new VolumeFailedError(volumeId, 'has vanished');
    return false;
  }
}

const VANISHED_MS = 5 * 60 * 1000;

/** As they are now; the volume may have been enlarged since the run began. */
async function oldAttributes(
  { ec2, documents }: Services,
  run: string,
  instanceId: string,
  { volumeId }: PatchedSnapshot,
): Promise<VolumeAttributes> {
  const [volume] = await findVolumesById(ec2, [volumeId]);
  if (volume !== undefined) return volumeAttributes(volume);
  const target = await documents.read<TargetDocument>(targetKey(run, instanceId));
  const found = target.volumes.find((attached) => attached.volumeId === volumeId);
  if (found === undefined) throw new VolumeFailedError(volumeId, 'is to be replaced, but is not known');
  return found.attributes;
}

async function create(
  { ec2 }: Services,
  run: string,
  instanceId: string,
  { snapshotId, volumeId }: PatchedSnapshot,
  old: VolumeAttributes,
): Promise<Volume> {
  const own = { [TAGS.run]: run, [TAGS.instance]: instanceId, [TAGS.purpose]: 'patched' };
  const inherited = Object.entries(old.tags).filter(([key]) => !key.startsWith('imageelves:'));
  const tags = { ...own, ...Object.fromEntries(inherited.slice(0, MAX_TAGS - Object.keys(own).length)) };
  return ec2.send(
    new CreateVolumeCommand({
      ClientToken: clientToken(run, instanceId, 'volume', volumeId, snapshotId),
      SnapshotId: snapshotId,
      AvailabilityZone: old.availabilityZone,
      VolumeType: old.type as Volume['VolumeType'],
      Size: old.sizeGib,
      ...(old.iops === undefined ? {} : { Iops: old.iops }),
      ...(old.throughput === undefined ? {} : { Throughput: old.throughput }),
      ...(old.encrypted ? { Encrypted: true } : {}),
      ...(old.encrypted && old.kmsKeyId !== undefined ? { KmsKeyId: old.kmsKeyId } : {}),
      TagSpecifications: tagSpecification('volume', tags),
    }),
  );
}
