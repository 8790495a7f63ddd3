import pLimit from 'p-limit';
import { classify, type Classification } from '../../core/classify/classify';
import type { Profile } from '../../core/profile/profile';
import type {
  ClassDocument,
  PlanDocument,
  ProfileDocument,
  RoundDocument,
  TargetDocument,
} from '../../core/workflow/documents';
import {
  classesKey,
  classKey,
  membersKey,
  planKey,
  profileKey,
  roundKey,
  targetKey,
  targetsKey,
} from '../../core/workflow/keys';
import type {
  ClassifyTargetsInput,
  ClassifyTargetsOutput,
  MachineItem,
  MemberItem,
} from '../../core/workflow/payloads';
import { DEFAULT_UPDATE_TIMEOUT_SECONDS } from '../../core/update/update';
import type { RunSettings } from '../../core/workflow/run-input';
import type { DocumentStore } from '../s3/document-store';
import type { Services } from '../services';
import { onlineInstances } from '../ssm/run-command';
import { unmatchedMembers } from './unmatched-members';

/** Documents read at once. */
const CONCURRENT_READS = 50;

type LeftOut = RoundDocument['leftOut'][number];

/** What a round works on: profiles to classify, who may be a representative, who is left out and why. */
interface Candidates {
  readonly profiles: readonly Profile[];
  readonly live: ReadonlySet<string>;
  readonly differences?: ReadonlyMap<string, readonly string[]>;
  readonly leftOut: readonly LeftOut[];
}

/**
 * Groups images into classes, each with a representative. The first round takes every target that could be profiled; a
 * later one those members that matched no manifest so far and were not touched.
 */
export async function classifyTargets(
  services: Services,
  { run, round }: ClassifyTargetsInput,
): Promise<ClassifyTargetsOutput> {
  const { documents } = services;
  const plan = await documents.read<PlanDocument>(planKey(run));
  const candidates =
    round === 1
      ? await firstRound(services, run)
      : await laterRound(documents, run, round, plan.settings.maxRounds);
  const { classes, unclassified } = classify(candidates.profiles, {
    live: candidates.live,
    representative: plan.settings.representative,
    dataPoints: plan.settings.dataPoints,
    ...(candidates.differences === undefined ? {} : { differences: candidates.differences }),
  });
  await writeRound(documents, plan, round, classes, [
    ...candidates.leftOut,
    ...unclassified,
    ...leftRunning(classes),
  ]);
  return { round, classCount: classes.length, classesKey: classesKey(run, round) };
}

async function firstRound(services: Services, run: string): Promise<Candidates> {
  const { documents } = services;
  const items = await documents.readLines<MachineItem>(targetsKey(run));
  const limit = pLimit(CONCURRENT_READS);
  const found = await Promise.all(
    items.map(({ instanceId }) =>
      limit(async () => ({
        target: await documents.read<TargetDocument>(targetKey(run, instanceId)),
        profile: (await documents.find<ProfileDocument<Profile>>(profileKey(run, instanceId)))?.profile,
      })),
    ),
  );
  const online = await onlineInstances(services.ssm);
  const live = new Set<string>();
  const profiles: Profile[] = [];
  const leftOut: LeftOut[] = [];
  for (const { target, profile } of found) {
    const { instanceId, state } = target;
    // A target without a profile has its failure recorded.
    if (profile === undefined) continue;
    if (state === 'running' && !online.has(instanceId)) {
      leftOut.push({ instanceId, reason: 'it runs, and its Systems Manager agent is not online' });
      continue;
    }
    if (state === 'running') live.add(instanceId);
    profiles.push(profile);
  }
  return { profiles, live, leftOut };
}

/** Who differed alike stays together; each such group gets a clone, since whoever runs was taken in the first round. */
async function laterRound(
  documents: DocumentStore,
  run: string,
  round: number,
  maxRounds: number,
): Promise<Candidates> {
  const unmatched = await unmatchedMembers(documents, run, round - 1);
  if (round > maxRounds) {
    const reason = `it matched no manifest in ${maxRounds} round(s)`;
    const leftOut = [...unmatched.keys()].map((instanceId) => ({ instanceId, reason }));
    return { profiles: [], live: new Set(), leftOut };
  }
  const profiles = await readProfiles(documents, run, [...unmatched.keys()]);
  return { profiles, live: new Set(), differences: unmatched, leftOut: [] };
}

export async function readProfiles(
  documents: DocumentStore,
  run: string,
  instanceIds: readonly string[],
): Promise<Profile[]> {
  const limit = pLimit(CONCURRENT_READS);
  const found = await Promise.all(
    instanceIds.map((id) => limit(() => documents.read<ProfileDocument<Profile>>(profileKey(run, id)))),
  );
  return found.map(({ profile }) => profile);
}

function leftRunning(classes: Classification['classes']): LeftOut[] {
  return classes.flatMap(({ liveMembers, representative }) =>
    liveMembers.map((instanceId) => ({
      instanceId,
      reason: `it runs; of its class the update was run on ${representative.instanceId} only, and stopped members are patched`,
    })),
  );
}

/** A clone is online within an hour; what is slower than another one is not worth a second data point. */
const witnessSeconds = ({ timeoutSeconds = DEFAULT_UPDATE_TIMEOUT_SECONDS }: RunSettings['update']): number =>
  timeoutSeconds + 2 * 3600;

async function writeRound(
  documents: DocumentStore,
  { run, settings }: PlanDocument,
  round: number,
  classes: Classification['classes'],
  leftOut: readonly LeftOut[],
): Promise<void> {
  const items = classes.map(
    ({ classId, representative, witness, members, signature, reason }): ClassDocument => ({
      run,
      round,
      classId,
      representative,
      ...(witness === undefined
        ? {}
        : { witness: { ...witness, timeoutSeconds: witnessSeconds(settings.update) } }),
      memberCount: members.length,
      membersKey: membersKey(run, round, classId),
      maxConcurrency: settings.maxConcurrency,
      toleratedFailurePercentage: settings.toleratedFailurePercentage,
      signature,
      reason,
    }),
  );
  for (const [at, item] of items.entries()) {
    const { classId } = item;
    const members = classes[at]!.members.map((instanceId): MemberItem => ({ run, classId, instanceId }));
    await documents.writeLines(item.membersKey, members);
    await documents.write(classKey(run, classId), item);
  }
  const document: RoundDocument = {
    round,
    classes: classes.map(({ classId, signature, representative, witness, members, reason }) => ({
      classId,
      signature,
      representative,
      ...(witness === undefined ? {} : { witness }),
      members,
      reason,
    })),
    leftOut,
  };
  await documents.write(roundKey(run, round), document);
  await documents.writeLines(
    classesKey(run, round),
    items.map(({ signature: _signature, reason: _reason, ...item }) => item),
  );
}
