import { digestOf } from '../chunk-store/digest';
import type { Profile } from '../profile/profile';
import { signatureOf } from '../profile/signature';
import { chooseWitness } from './choose-witness';
import { compareWithAnchor, osWords } from './similarity';

export interface ClassifyOptions {
  /** Instances that are running and on which the update may be run now (not those it was run on in an earlier round). */
  readonly live: ReadonlySet<string>;
  /** `auto`: a running member where there is one, else a clone. */
  readonly representative: 'auto' | 'live' | 'clone';
  /**
   * For rounds after the first: how each instance differed from the manifest it was matched with. Only instances that
   * differed alike come together; packages beside those that the update asks for do not part them.
   */
  readonly differences?: ReadonlyMap<string, readonly string[]>;
  /** On how many machines of a class the update is run; the second one is the witness. */
  readonly dataPoints?: 1 | 2;
}

export interface ImageClass {
  /** Twelve hexadecimal digits, of the signatures and members of the class. */
  readonly classId: string;
  /** Of the representative's profile. */
  readonly signature: string;
  /** Instances to match and patch offline; a live representative is not among them, the original of a clone is. */
  readonly members: readonly string[];
  /** Running instances of the class beside the representative: they are not patched offline. */
  readonly liveMembers: readonly string[];
  readonly representative: { readonly instanceId: string; readonly kind: 'live' | 'clone' };
  /** Absent where the class has no other machine, or no member to be patched offline. */
  readonly witness?: { readonly instanceId: string; readonly kind: 'live' | 'clone' };
  /** For people: how the class came about. */
  readonly reason: string;
}

export interface Classification {
  readonly classes: readonly ImageClass[];
  /** Instances that no class can take, with the reason. */
  readonly unclassified: readonly { readonly instanceId: string; readonly reason: string }[];
}

/** Instances with one signature (and one set of differences), and what was joined to them. */
interface Group {
  readonly profile: Profile;
  readonly signature: string;
  /** How its members differed in the round before. */
  readonly differs: string;
  readonly instanceIds: readonly string[];
  readonly liveIds: readonly string[];
  readonly joined: Group[];
  readonly notes: string[];
}

/**
 * Puts images into classes, each with a representative. Images with one signature are one class. A group that has no
 * member to run the update on joins the most similar class provisionally when everything the update is thought to depend
 * on agrees, so that an extra package alone does not cost one more online update; matching decides in the end.
 *
 * Pure and deterministic: the same profiles give the same classes with the same ids, in the same order.
 */
export function classify(profiles: readonly Profile[], options: ClassifyOptions): Classification {
  const anchors: Group[] = [];
  const unclassified: Classification['unclassified'][number][] = [];
  for (const group of groupsOf(profiles, options)) {
    const hasLive = group.liveIds.length > 0;
    const mustStandAlone = hasLive && options.representative !== 'clone';
    const joined = mustStandAlone ? undefined : joinMostSimilar(group, anchors);
    if (joined !== undefined) continue;
    const reason = reasonForNoClass(group, options);
    if (reason === undefined) anchors.push(group);
    else unclassified.push(...group.instanceIds.map((instanceId) => ({ instanceId, reason })));
  }
  return { classes: anchors.map((anchor) => classOf(anchor, options)), unclassified };
}

function reasonForNoClass(
  { instanceIds, liveIds }: Group,
  { representative }: ClassifyOptions,
): string | undefined {
  if (representative === 'live' && liveIds.length === 0) {
    return 'no running instance is like it, and representative "live" allows no clone';
  }
  if (representative === 'clone' && liveIds.length === instanceIds.length) {
    return 'it runs, and with representative "clone" only stopped instances are patched';
  }
  return undefined;
}

/** Groups that have a running member first, then the larger first: others join those. */
function groupsOf(profiles: readonly Profile[], { live, differences }: ClassifyOptions): Group[] {
  const byKey = new Map<string, Profile[]>();
  const differsOf = ({ instanceId }: Profile): string =>
    JSON.stringify([...(differences?.get(instanceId) ?? [])].sort());
  for (const profile of [...profiles].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1))) {
    const key = JSON.stringify([signatureOf(profile), differsOf(profile)]);
    byKey.set(key, [...(byKey.get(key) ?? []), profile]);
  }
  const groups = [...byKey.values()].map((members): Group => {
    const instanceIds = members.map(({ instanceId }) => instanceId);
    const liveIds = instanceIds.filter((instanceId) => live.has(instanceId));
    const [profile] = members;
    return {
      profile: profile!,
      signature: signatureOf(profile!),
      differs: differsOf(profile!),
      instanceIds,
      liveIds,
      joined: [],
      notes: [],
    };
  });
  return groups.sort(
    (a, b) =>
      Math.sign(b.liveIds.length) - Math.sign(a.liveIds.length) ||
      b.instanceIds.length - a.instanceIds.length ||
      (a.instanceIds[0]! < b.instanceIds[0]! ? -1 : 1),
  );
}

function joinMostSimilar(group: Group, anchors: readonly Group[]): Group | undefined {
  let best: { anchor: Group; similarity: number; note: string } | undefined;
  for (const anchor of anchors.filter(({ differs }) => differs === group.differs)) {
    const comparison = compareWithAnchor(group.profile, anchor.profile);
    if (!comparison.agrees || (best !== undefined && comparison.similarity <= best.similarity)) continue;
    best = { anchor, similarity: comparison.similarity, note: comparison.note };
  }
  if (best === undefined) return undefined;
  best.anchor.joined.push(group);
  best.anchor.notes.push(
    `${group.instanceIds.join(', ')} joined provisionally: ${best.note}; matching will decide`,
  );
  return best.anchor;
}

function classOf(
  anchor: Group,
  { representative: wanted, dataPoints = 1, differences }: ClassifyOptions,
): ImageClass {
  const groups = [anchor, ...anchor.joined];
  const all = groups.flatMap(({ instanceIds }) => instanceIds);
  const live = new Set(groups.flatMap(({ liveIds }) => liveIds));
  const stopped = all.filter((instanceId) => !live.has(instanceId));
  const useLive = wanted !== 'clone' && anchor.liveIds.length > 0;
  const original = anchor.instanceIds.find((instanceId) => !live.has(instanceId)) ?? anchor.instanceIds[0]!;
  const representative = useLive
    ? { instanceId: anchor.liveIds[0]!, kind: 'live' as const }
    : { instanceId: original, kind: 'clone' as const };
  const witness = dataPoints === 1 ? undefined : chooseWitness(groups, representative.instanceId, wanted);
  const online = useLive ? [representative.instanceId] : [];
  if (witness?.kind === 'live') online.push(witness.instanceId);
  // The same machines in a later round are another class; how they differed names the one before.
  const identity = JSON.stringify([
    groups.map(({ signature }) => signature),
    all,
    ...(differences?.get(all[0]!) ?? []),
  ]);
  return {
    classId: digestOf(new TextEncoder().encode(identity)).slice('sha256:'.length, 'sha256:'.length + 12),
    signature: anchor.signature,
    members: stopped.sort(),
    liveMembers: [...live].filter((instanceId) => !online.includes(instanceId)).sort(),
    representative,
    ...(witness === undefined ? {} : { witness }),
    reason: reasonOf(anchor, representative, witness),
  };
}

function reasonOf(
  anchor: Group,
  representative: ImageClass['representative'],
  witness: ImageClass['witness'],
): string {
  const { instanceIds, profile, notes } = anchor;
  const packages = Object.keys(profile.packages).length;
  const like =
    instanceIds.length === 1
      ? `${osWords(profile.os)} with ${packages} packages, like no other instance`
      : `${instanceIds.length} instances agree on ${osWords(profile.os)}, ${packages} packages and what the update depends on`;
  const chosen =
    representative.kind === 'live'
      ? `the update is run on ${representative.instanceId}, which is running`
      : `the update is run on a clone of ${representative.instanceId}`;
  const second =
    witness === undefined
      ? []
      : [`and on ${witness.kind === 'clone' ? 'a clone of ' : ''}${witness.instanceId} as witness`];
  return [like, ...notes, [chosen, ...second].join(', ')].join('; ');
}
