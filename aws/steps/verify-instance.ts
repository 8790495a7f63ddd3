import { verifyManifest } from '../../core/match/verify-manifest';
import type {
  ApplyDocument,
  SnapshotsDocument,
  SwapDocument,
  VerifyDocument,
  VolumeSwap,
} from '../../core/workflow/documents';
import { applyKey, snapshotsKey, swapKey, verifyKey } from '../../core/workflow/keys';
import type { VerifyInstanceInput, VerifyInstanceOutput } from '../../core/workflow/payloads';
import { UsageMeter } from '../ebs/usage-meter';
import { volumeAttributes } from '../ec2/target';
import type { Services } from '../services';
import { readSwapState, type SwapState } from '../swap/swap-state';
import { readManifest } from './read-manifest';
import { withImage } from './open-snapshots';
import { stepCost } from './step-cost';
import { VerificationFailedError } from './step-errors';

/**
 * Checks a patched machine from outside: EC2's own word on its volumes, and every entry of the manifest read back from
 * the snapshot that the new volume was made of.
 *
 * @throws VerificationFailedError
 */
export async function verifyInstance(
  services: Services,
  input: VerifyInstanceInput,
): Promise<VerifyInstanceOutput> {
  const startedAt = services.now();
  const { documents } = services;
  const { run, instanceId } = input;
  const [manifest, base, applied, swap] = await Promise.all([
    readManifest(documents, input),
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'base')),
    documents.read<ApplyDocument>(applyKey(run, instanceId)),
    documents.read<SwapDocument>(swapKey(run, instanceId)),
  ]);
  const meter = new UsageMeter();
  const state = await readSwapState(services.ec2, instanceId, swap.swaps);
  const problems = swap.swaps.flatMap((volume) => problemsOf(volume, state));
  const patched = base.snapshots.map(
    (snapshot) => applied.snapshots.find(({ volumeId }) => volumeId === snapshot.volumeId) ?? snapshot,
  );
  const { differences, differenceCount } = await withImage(services, patched, meter, (image) =>
    verifyManifest(manifest, image, { packs: services.packs }),
  );
  problems.push(
    ...differences.map(({ path, record, why }) => `${path}${record ? ` (${record})` : ''}: ${why}`),
  );
  if (problems.length > 0 || differenceCount > 0) throw new VerificationFailedError(instanceId, problems);
  const document: VerifyDocument = {
    instanceId,
    verifiedEntries: manifest.operations.length,
    ...stepCost(startedAt, services.now(), meter),
  };
  await documents.write(verifyKey(run, instanceId), document);
  return { verified: true };
}

/** The new volume is attached in the old one's place and is like it in all that a user may have chosen. */
function problemsOf(
  { deviceName, newVolumeId, deleteOnTermination, attributes }: VolumeSwap,
  state: SwapState,
): string[] {
  const device = state.devices.find(({ swap }) => swap.deviceName === deviceName);
  const volume = state.volumes.get(newVolumeId);
  if (volume === undefined || device?.attachedVolumeId !== newVolumeId) {
    return [`${deviceName} holds ${device?.attachedVolumeId ?? 'nothing'} instead of ${newVolumeId}`];
  }
  const problems: string[] = [];
  const found = volumeAttributes(volume);
  for (const name of ['type', 'sizeGib', 'iops', 'throughput', 'encrypted', 'kmsKeyId'] as const) {
    if (found[name] !== attributes[name]) {
      problems.push(`${newVolumeId} has ${name} ${found[name]}, the old volume had ${attributes[name]}`);
    }
  }
  for (const [key, value] of Object.entries(attributes.tags)) {
    if (!key.startsWith('imageelves:') && found.tags[key] !== value) {
      problems.push(`${newVolumeId} lacks the tag ${key}=${value}`);
    }
  }
  if (device.deleteOnTermination !== deleteOnTermination) {
    problems.push(`DeleteOnTermination of ${deviceName} is ${device.deleteOnTermination}`);
  }
  return problems;
}
