import type { RememberedFit } from '../../core/memory/remembered-manifest';
import type { Profile } from '../../core/profile/profile';
import type {
  PlanDocument,
  ProfileDocument,
  RoundDocument,
  TargetDocument,
} from '../../core/workflow/documents';
import { profileKey, targetKey, targetsKey } from '../../core/workflow/keys';
import type { MachineItem } from '../../core/workflow/payloads';
import pLimit from 'p-limit';
import type { Services } from '../services';
import { onlineInstances } from '../ssm/run-command';
import { findProfiles } from './find-profiles';
import { unmatchedMembers } from './unmatched-members';
import { witnessFits } from './witness-manifest';

/** Documents read at once. */
const CONCURRENT_READS = 50;

export type LeftOut = RoundDocument['leftOut'][number];

/** What a round works on: profiles to classify, who may be a representative, who is left out and why. */
export interface Candidates {
  readonly profiles: readonly Profile[];
  readonly live: ReadonlySet<string>;
  /** What was captured before and fits, by instance. */
  readonly fits: ReadonlyMap<string, RememberedFit>;
  readonly differences?: ReadonlyMap<string, readonly string[]>;
  readonly leftOut: readonly LeftOut[];
}

/** Every target that could be profiled. */
export async function firstRound(services: Services, run: string): Promise<Candidates> {
  const { documents } = services;
  const items = await documents.readLines<MachineItem>(targetsKey(run));
  const limit = pLimit(CONCURRENT_READS);
  const found = await Promise.all(
    items.map(({ instanceId }) =>
      limit(async () => ({
        target: await documents.read<TargetDocument>(targetKey(run, instanceId)),
        document: await documents.find<ProfileDocument<Profile>>(profileKey(run, instanceId)),
      })),
    ),
  );
  const online = await onlineInstances(services.ssm);
  const live = new Set<string>();
  const profiles: Profile[] = [];
  const fits = new Map<string, RememberedFit>();
  const leftOut: LeftOut[] = [];
  for (const { target, document } of found) {
    const { instanceId, state } = target;
    // A target without a profile has its failure recorded.
    if (document === undefined) continue;
    if (state === 'running' && !online.has(instanceId)) {
      leftOut.push({ instanceId, reason: 'it runs, and its Systems Manager agent is not online' });
      continue;
    }
    if (state === 'running') live.add(instanceId);
    profiles.push(document.profile);
    if (document.fits !== undefined) fits.set(instanceId, document.fits);
  }
  return { profiles, live, fits, leftOut };
}

/**
 * Those that matched no manifest so far and were not touched. Who differed alike stays together; each such group gets what a
 * witness like it told, or a clone, since whoever runs was taken in the first round. Of a check, whose result is for running
 * machines too, some are left that run: it is run on one of them.
 */
export async function laterRound(
  services: Services,
  { run, settings: { maxRounds, update } }: PlanDocument,
  round: number,
): Promise<Candidates> {
  const { documents } = services;
  const { unmatched, hopeless } = await unmatchedMembers(documents, run, round - 1);
  const leftOut = [...hopeless].map(([instanceId, reason]) => ({ instanceId, reason }));
  const nobody = { profiles: [], live: new Set<string>(), fits: new Map<string, RememberedFit>() };
  if (round > maxRounds) {
    const reason = `it matched no manifest in ${maxRounds} round(s)`;
    const tooLate = [...unmatched.keys()].map((instanceId) => ({ instanceId, reason }));
    return { ...nobody, leftOut: [...leftOut, ...tooLate] };
  }
  const found = await findProfiles(documents, run, [...unmatched.keys()]);
  const profiles = found.map(({ profile }) => profile);
  const fits = await witnessFits(documents, run, round - 1, profiles);
  const live =
    update.kind === 'compliance'
      ? await runningAmong(services, run, [...unmatched.keys()])
      : new Set<string>();
  return { profiles, live, fits, differences: unmatched, leftOut };
}

async function runningAmong(
  { documents, ssm }: Services,
  run: string,
  instanceIds: readonly string[],
): Promise<Set<string>> {
  const targets = await Promise.all(
    instanceIds.map((instanceId) => documents.read<TargetDocument>(targetKey(run, instanceId))),
  );
  const online = await onlineInstances(ssm);
  const running = targets.filter(({ instanceId, state }) => state === 'running' && online.has(instanceId));
  return new Set(running.map(({ instanceId }) => instanceId));
}
