import { predictFootprint } from '../../core/footprint/predict-footprint';
import type { Profile } from '../../core/profile/profile';
import { profileImage } from '../../core/profile/profile-image';
import type { PlanDocument, ProfileDocument, SnapshotsDocument } from '../../core/workflow/documents';
import { planKey, profileKey, snapshotsKey } from '../../core/workflow/keys';
import type { ProfileInstanceInput, ProfileInstanceOutput } from '../../core/workflow/payloads';
import { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';
import { withImage } from './open-snapshots';
import { stepCost } from './step-cost';

/** Reads from the base snapshots of one instance what the update is thought to depend on. */
export async function profileInstance(
  services: Services,
  { run, instanceId }: ProfileInstanceInput,
): Promise<ProfileInstanceOutput> {
  const startedAt = services.now();
  const { documents } = services;
  const [{ settings }, { snapshots }] = await Promise.all([
    documents.read<PlanDocument>(planKey(run)),
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'base')),
  ]);
  const meter = new UsageMeter();
  const found = await withImage(services, snapshots, meter, async (image) => ({
    mounts: image.mounts.map(({ mountPoint, kind }) => ({ mountPoint, kind })),
    ignoredMounts: image.ignoredMounts.map(({ mountPoint, reason }) => ({ mountPoint, reason })),
    profile: await profileImage(image, await predictFootprint(settings.update, image), instanceId),
  }));
  const key = profileKey(run, instanceId);
  const document: ProfileDocument<Profile> = {
    instanceId,
    ...found,
    ...stepCost(startedAt, services.now(), meter),
  };
  await documents.write(key, document);
  return { profileKey: key };
}
