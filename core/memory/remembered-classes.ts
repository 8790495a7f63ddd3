import { digestOf } from '../chunk-store/digest';
import type { RememberedFit } from './remembered-manifest';

/** Instances that match one manifest of an earlier run: they are patched with no online run. */
export interface RememberedClass {
  /** Twelve hexadecimal digits, of the manifest and the members. */
  readonly classId: string;
  readonly fit: RememberedFit;
  /** Instances to patch offline. */
  readonly members: readonly string[];
  /** Running instances that match it too: they are not patched offline. */
  readonly liveMembers: readonly string[];
  /** For people: how the class came about. */
  readonly reason: string;
}

/**
 * Groups instances by the manifest that each matches. Without a stopped member there is nothing that a manifest could
 * patch: such instances are left to be classified like any other. Deterministic, the largest class first.
 */
export function rememberedClasses(
  fits: ReadonlyMap<string, RememberedFit>,
  live: ReadonlySet<string>,
): RememberedClass[] {
  const byManifest = new Map<string, string[]>();
  for (const [instanceId, { manifestDigest }] of fits) {
    byManifest.set(manifestDigest, [...(byManifest.get(manifestDigest) ?? []), instanceId]);
  }
  const classes = [...byManifest].map(([digest, unsorted]): RememberedClass => {
    const instanceIds = unsorted.sort();
    const fit = fits.get(instanceIds[0]!)!;
    const count = instanceIds.length === 1 ? '1 instance matches' : `${instanceIds.length} instances match`;
    return {
      classId: digestOf(new TextEncoder().encode(JSON.stringify([digest, instanceIds]))).slice(7, 19),
      fit,
      members: instanceIds.filter((instanceId) => !live.has(instanceId)),
      liveMembers: instanceIds.filter((instanceId) => live.has(instanceId)),
      reason: `${count} what run ${fit.run} captured on ${fit.representative} at ${fit.capturedAt}: the update is not run again`,
    };
  });
  return classes
    .filter(({ members }) => members.length > 0)
    .sort((a, b) => b.members.length - a.members.length || (a.classId < b.classId ? -1 : 1));
}
