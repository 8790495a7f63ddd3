import type { ManifestFacts } from '../workflow/documents';
import type { RecordedManifest } from '../workflow/payloads';
import { secondsOf, sumUsage } from './cost';
import type { ReportedClass, ReportedMachine, ReportedUpdate } from './report';
import type { ClassFacts, OnlineFacts, RunFacts } from './run-facts';

/** Decisions that a report shows of a class; the manifest has more. */
const SHOWN_DECISIONS = 100;

const HOUR_MS = 3_600_000;

/** One class: where the update was run, what came of it, and how many members it fitted. */
export function reportClass(
  facts: ClassFacts,
  machines: readonly ReportedMachine[],
  { machines: machineFacts, now }: Pick<RunFacts, 'machines' | 'now'>,
): ReportedClass {
  const { document, members, capture, failure, witness, recorded } = facts;
  const { classId, round, representative, reason } = document;
  const matched = machineFacts.filter(({ matches }) =>
    matches.some((one) => one.classId === classId && one.matched),
  );
  const patched = machines.filter((one) => one.classId === classId && one.outcome === 'patched');
  const clones = [facts.clone, witness?.clone].filter((clone) => clone !== undefined);
  return {
    classId,
    round,
    representative,
    reason,
    memberCount: members.length,
    matchedCount: matched.length,
    patchedCount: patched.length,
    onlineUpdates: onlineUpdates(facts),
    ...(recorded === undefined ? {} : { recorded: recordedSource(document.recorded!, recorded.told, now) }),
    operationCount: capture?.operationCount ?? recorded?.operationCount,
    operationsByKind: capture?.operationsByKind,
    contentBytes: capture?.contentBytes,
    leftOutPaths: capture?.leftOutPaths,
    manifestKey: capture?.manifestKey ?? document.recorded?.manifestKey,
    manifestDigest: capture?.manifestDigest ?? document.recorded?.manifestDigest,
    ...shownFacts(capture?.told ?? recorded?.told ?? {}),
    update: reportUpdate(facts),
    witness: witness === undefined ? undefined : reportUpdate(witness),
    ...(facts.compliance === undefined ? {} : { compliance: facts.compliance }),
    warnings: capture?.warnings ?? [],
    failure,
    cloneChanges: clones[0]?.changes ?? [],
    usage: sumUsage([...clones, capture].flatMap((step) => (step === undefined ? [] : [step.calls]))),
  };
}

/** How often the update was run on a running system for this class. */
export const onlineUpdates = ({ update, witness }: ClassFacts): number =>
  [update, witness?.update].filter((one) => one !== undefined).length;

function recordedSource(
  { run, capturedAt }: RecordedManifest,
  told: ManifestFacts,
  now: string,
): ReportedClass['recorded'] {
  const instanceIds = told.dataPoints?.filter(({ used }) => used).map(({ instanceId }) => instanceId) ?? [];
  return {
    run,
    capturedAt,
    ageHours: Math.max(0, (Date.parse(now) - Date.parse(capturedAt)) / HOUR_MS),
    instanceIds,
  };
}

function shownFacts({ decisions, ...facts }: ManifestFacts): ManifestFacts {
  if (decisions === undefined) return facts;
  return { ...facts, decisions: { ...decisions, paths: decisions.paths.slice(0, SHOWN_DECISIONS) } };
}

function reportUpdate({ update }: OnlineFacts): ReportedUpdate | undefined {
  if (update === undefined) return undefined;
  const { instanceId, status, startedAt, endedAt, outputTail } = update;
  return {
    instanceId,
    status,
    ...(endedAt === undefined ? {} : { seconds: secondsOf({ startedAt, endedAt }) }),
    ...(outputTail === undefined ? {} : { outputTail }),
  };
}
