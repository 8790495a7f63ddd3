/** Instances with one signature, the running ones among them. */
export interface WitnessGroup {
  readonly instanceIds: readonly string[];
  readonly liveIds: readonly string[];
}

export interface Witness {
  readonly instanceId: string;
  readonly kind: 'live' | 'clone';
}

/**
 * Another machine of the class on which the update is run as well: what the two changed alike is the update, what they
 * changed differently belongs to one machine. Of the same signature rather than of one that joined; a running one rather
 * than a clone, since a clone costs a machine of its own for some minutes.
 *
 * @param groups that of the representative first
 */
export function chooseWitness(
  groups: readonly WitnessGroup[],
  representativeId: string,
  wanted: 'auto' | 'live' | 'clone',
): Witness | undefined {
  const isStopped = ({ liveIds }: WitnessGroup, instanceId: string): boolean => !liveIds.includes(instanceId);
  // Without a member to be patched offline nobody needs to know.
  if (!groups.some((group) => group.instanceIds.some((id) => isStopped(group, id)))) return undefined;
  for (const group of groups) {
    const live = group.liveIds.find((id) => id !== representativeId);
    if (wanted !== 'clone' && live !== undefined) return { instanceId: live, kind: 'live' };
    const stopped = group.instanceIds.find((id) => id !== representativeId && isStopped(group, id));
    if (wanted !== 'live' && stopped !== undefined) return { instanceId: stopped, kind: 'clone' };
  }
  return undefined;
}
