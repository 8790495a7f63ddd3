import { findFit } from '../../core/memory/find-fit';
import { type MemoryLimits, remembered } from '../../core/memory/remembered-manifest';
import { predictFootprint } from '../../core/footprint/predict-footprint';
import type { Profile } from '../../core/profile/profile';
import { profileImage } from '../../core/profile/profile-image';
import type { PlanDocument, ProfileDocument, SnapshotsDocument } from '../../core/workflow/documents';
import { planKey, profileKey, snapshotsKey } from '../../core/workflow/keys';
import type { RunSettings } from '../../core/workflow/run-input';
import type { ProfileInstanceInput, ProfileInstanceOutput } from '../../core/workflow/payloads';
import { UsageMeter } from '../ebs/usage-meter';
import type { Services } from '../services';
import { withImage } from './open-snapshots';
import { findManifest } from './read-manifest';
import { stepCost } from './step-cost';

/** Reads from the base snapshots of one instance what the update is thought to depend on. */
export async function profileInstance(
  services: Services,
  { run, instanceId }: ProfileInstanceInput,
): Promise<ProfileInstanceOutput> {
  const startedAt = services.now();
  const { documents, packs } = services;
  const [{ settings, remembered: known = [] }, { snapshots }] = await Promise.all([
    documents.read<PlanDocument>(planKey(run)),
    documents.read<SnapshotsDocument>(snapshotsKey(run, instanceId, 'base')),
  ]);
  const meter = new UsageMeter();
  const found = await withImage(services, snapshots, meter, async (image) => {
    const { update } = settings;
    const candidates = remembered(known, { update, os: image.os, now: startedAt, ...limitsOf(settings) });
    const { fits } = await findFit(image, candidates, (one) => findManifest(documents, one), { packs });
    return {
      mounts: image.mounts.map(({ mountPoint, kind }) => ({ mountPoint, kind })),
      ignoredMounts: image.ignoredMounts.map(({ mountPoint, reason }) => ({ mountPoint, reason })),
      profile: await profileImage(image, await predictFootprint(update, image), instanceId),
      ...(fits === undefined ? {} : { fits }),
    };
  });
  const key = profileKey(run, instanceId);
  const document: ProfileDocument<Profile> = {
    instanceId,
    ...found,
    ...stepCost(startedAt, services.now(), meter),
  };
  await documents.write(key, document);
  return { profileKey: key };
}

/** The age that the run's input allows, whatever kind its update is. */
function limitsOf({ memoryHours }: RunSettings): { readonly limits?: MemoryLimits } {
  if (memoryHours === undefined) return {};
  return { limits: { packagesHours: memoryHours, scriptHours: memoryHours } };
}
