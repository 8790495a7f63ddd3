import { classify, type ImageClass } from '../../core/classify/classify';
import { type RememberedClass, rememberedClasses } from '../../core/memory/remembered-classes';
import { DEFAULT_UPDATE_TIMEOUT_SECONDS } from '../../core/update/update';
import type { ClassDocument, PlanDocument, RoundDocument } from '../../core/workflow/documents';
import { classesKey, classKey, membersKey, planKey, roundKey } from '../../core/workflow/keys';
import type { ClassifyTargetsInput, ClassifyTargetsOutput, MemberItem } from '../../core/workflow/payloads';
import type { RunSettings } from '../../core/workflow/run-input';
import type { DocumentStore } from '../s3/document-store';
import type { Services } from '../services';
import { firstRound, laterRound, type LeftOut } from './round-candidates';

/** A class as its item and the report need it. */
type FoundClass = Pick<ClassDocument, 'classId' | 'representative' | 'recorded' | 'signature' | 'reason'> &
  Pick<ImageClass, 'witness' | 'members'>;

/**
 * Groups images into classes, each with a representative. The first round takes every target that could be profiled; a
 * later one those members that matched no manifest so far and were not touched. Whoever fits what an earlier run captured
 * needs no representative.
 */
export async function classifyTargets(
  services: Services,
  { run, round }: ClassifyTargetsInput,
): Promise<ClassifyTargetsOutput> {
  const { documents } = services;
  const plan = await documents.read<PlanDocument>(planKey(run));
  const { profiles, live, fits, differences, leftOut } =
    round === 1 ? await firstRound(services, run) : await laterRound(services, plan, round);
  const known = rememberedClasses(fits, live);
  const knownIds = new Set(known.flatMap(({ members, liveMembers }) => [...members, ...liveMembers]));
  const { classes, unclassified } = classify(
    profiles.filter(({ instanceId }) => !knownIds.has(instanceId)),
    {
      live,
      representative: plan.settings.representative,
      dataPoints: isCheck(plan) ? 1 : plan.settings.dataPoints,
      ...(differences === undefined ? {} : { differences }),
    },
  );
  const found = [
    ...known.map((one) => withRunning(plan, one, recordedClass(one))),
    ...classes.map(({ liveMembers, ...one }) => withRunning(plan, { liveMembers }, one)),
  ];
  const running = [...known.flatMap(leftRunningBeside), ...classes.flatMap(leftRunning)];
  await writeRound(documents, plan, round, found, [
    ...leftOut,
    ...unclassified,
    ...(isCheck(plan) ? [] : running),
  ]);
  return { round, classCount: found.length, classesKey: classesKey(run, round) };
}

/** A check changes nobody, so that its result may hold for running machines too. */
const isCheck = ({ settings }: PlanDocument): boolean => settings.update.kind === 'compliance';

function withRunning(
  plan: PlanDocument,
  { liveMembers }: { readonly liveMembers: readonly string[] },
  found: FoundClass,
): FoundClass {
  return isCheck(plan) ? { ...found, members: [...found.members, ...liveMembers].sort() } : found;
}

function recordedClass({ classId, fit, members, reason }: RememberedClass): FoundClass {
  const { manifestKey, manifestDigest, capturedAt, run } = fit;
  return {
    classId,
    signature: manifestDigest,
    representative: { instanceId: fit.representative, kind: 'recorded' },
    recorded: { manifestKey, manifestDigest, capturedAt, run },
    members,
    reason,
  };
}

function leftRunningBeside({ liveMembers, fit }: RememberedClass): LeftOut[] {
  const reason = `it runs; what run ${fit.run} captured fits it, and stopped members are patched`;
  return liveMembers.map((instanceId) => ({ instanceId, reason }));
}

function leftRunning({ liveMembers, representative, witness }: ImageClass): LeftOut[] {
  const ids = [representative, witness].flatMap((one) => (one === undefined ? [] : [one.instanceId]));
  const reason = `it runs; of its class the update was run on ${ids.join(' and ')} only, and stopped members are patched`;
  return liveMembers.map((instanceId) => ({ instanceId, reason }));
}

/** A clone is online within an hour; what is slower than another one is not worth a second data point. */
const witnessSeconds = ({ timeoutSeconds = DEFAULT_UPDATE_TIMEOUT_SECONDS }: RunSettings['update']): number =>
  timeoutSeconds + 2 * 3600;

async function writeRound(
  documents: DocumentStore,
  { run, settings }: PlanDocument,
  round: number,
  classes: readonly FoundClass[],
  leftOut: readonly LeftOut[],
): Promise<void> {
  const items = classes.map(({ members, witness, ...found }): ClassDocument => ({
    run,
    round,
    ...found,
    ...(settings.update.kind === 'compliance' ? { check: true as const } : {}),
    ...(witness === undefined
      ? {}
      : {
          witness: {
            ...witness,
            timeoutSeconds: witnessSeconds(settings.update),
            ...(round > 1 && { onlyIfNeeded: true as const }),
          },
        }),
    memberCount: members.length,
    membersKey: membersKey(run, round, found.classId),
    maxConcurrency: settings.maxConcurrency,
    toleratedFailurePercentage: settings.toleratedFailurePercentage,
  }));
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
