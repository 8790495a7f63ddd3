import type {
  PlanDocument,
  SnapshotsDocument,
  SwapDocument,
  VolumeDocument,
} from '../../core/workflow/documents';
import { planKey, snapshotsKey, swapKey, volumeKey } from '../../core/workflow/keys';
import { describeInstance, findVolumesById } from '../ec2/describe';
import { attachedVolumes, launchTimeOf } from '../ec2/target';
import type { Services } from '../services';
import { InstanceStartedError, VolumeChangedError } from '../steps/step-errors';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The journal of a swap, written before anything is detached: it names both volumes of every device and all that the new
 * one must have, so that whoever finds the machine half swapped can end it either way.
 *
 * @throws InstanceStartedError, VolumeChangedError; nothing was touched then
 */
export async function planSwap(services: Services, run: string, instanceId: string): Promise<SwapDocument> {
  const { documents, ec2 } = services;
  const key = swapKey(run, instanceId);
  const known = await documents.find<SwapDocument>(key);
  if (known !== undefined) return known;
  const [base, created, plan, instance] = await Promise.all([
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'base')),
    documents.read<VolumeDocument>(volumeKey(run, instanceId)),
    documents.read<PlanDocument>(planKey(run)),
    describeInstance(ec2, instanceId),
  ]);
  const state = instance.State?.Name ?? 'unknown';
  if (state !== 'stopped' || launchTimeOf(instance) !== base.launchTime) {
    throw new InstanceStartedError(instanceId, state, {
      startedAt: launchTimeOf(instance),
      startedBeforeSnapshot: base.launchTime,
    });
  }
  const ids = (instance.BlockDeviceMappings ?? []).flatMap(({ Ebs }) => Ebs?.VolumeId ?? []);
  const volumes = await findVolumesById(ec2, ids);
  const attached = attachedVolumes(instance, new Map(volumes.map((one) => [one.VolumeId!, one])));
  const now = services.now();
  const document: SwapDocument = {
    run,
    instanceId,
    launchTime: base.launchTime,
    swaps: created.volumes.map(({ deviceName, oldVolumeId, newVolumeId }) => {
      const old = attached.find((volume) => volume.deviceName === deviceName);
      if (old?.volumeId !== oldVolumeId) {
        throw new VolumeChangedError(instanceId, deviceName, oldVolumeId, old?.volumeId);
      }
      const { isRoot, deleteOnTermination, attributes } = old;
      return { deviceName, isRoot, deleteOnTermination, oldVolumeId, newVolumeId, attributes };
    }),
    retainUntil: new Date(now.getTime() + plan.settings.retainDays * DAY_MS).toISOString(),
    direction: 'forward',
    done: false,
    startedAt: now.toISOString(),
  };
  // Of two invocations at once the first one's journal holds.
  const written = await documents.writeIf(key, document, 'absent');
  return written ? document : documents.read<SwapDocument>(key);
}
