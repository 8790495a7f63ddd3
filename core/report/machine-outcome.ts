import type { FailureDocument, MachineComplianceDocument } from '../workflow/documents';
import type { FallenOut } from './fallen-out';
import type { Outcome } from './report';
import type { ClassFacts, MachineFacts, RunFacts } from './run-facts';

export interface ToldOutcome {
  readonly outcome: Outcome;
  readonly sentence: string;
  readonly classId?: string;
}

/** Failures that left the machine as it was for a reason of its own: it was not patched, but nothing went wrong. */
const LEFT_ALONE = [
  'InstanceStartedError',
  'LeaseHeldError',
  'TooManyFailuresError',
  'VolumeChangedError',
  'UnsupportedFilesystemError',
  'UnsupportedFeatureError',
  'RefusedFilesystemError',
  'RecoveryNeededError',
];

/** What became of a machine, and why. The first thing that is true of it, from the end of a run to its beginning. */
export function machineOutcome(machine: MachineFacts, run: RunFacts, fallenOut: FallenOut): ToldOutcome {
  const { instanceId } = machine.target;
  const own = run.classes.filter(
    ({ members, document }) => members.includes(instanceId) || isUpdatedOnline(document, instanceId),
  );
  const last = own.at(-1);
  const classId = last?.document.classId;
  const told = tell(machine, last, run, fallenOut);
  return classId === undefined ? told : { ...told, classId };
}

function tell(
  machine: MachineFacts,
  last: ClassFacts | undefined,
  run: RunFacts,
  fallenOut: FallenOut,
): ToldOutcome {
  const { outcome, failure, target, compliance } = machine;
  if (outcome?.outcome === 'rolled-back') {
    return { outcome: 'rolled-back', sentence: 'Its old volume was put back by a roll back.' };
  }
  if (outcome?.outcome === 'patched')
    return { outcome: 'patched', sentence: patchedSentence(machine, fallenOut) };
  if (failure !== undefined) return tellFailure(failure);
  if (compliance !== undefined) {
    const stranger = machine.matches.find(({ matched }) => !matched);
    return tellCheck(compliance, fallenOut.why(stranger));
  }
  if (last !== undefined && isUpdatedOnline(last.document, target.instanceId)) {
    return last.document.witness?.instanceId === target.instanceId
      ? tellWitness(last, run)
      : tellRepresentative(last, run);
  }
  if (run.plan.settings.dryRun && last !== undefined) {
    return {
      outcome: 'would-be-patched',
      sentence: `Would be patched without being started, ${withWhat(last)}, if it matches.`,
    };
  }
  return tellUntouched(machine, last, run, fallenOut);
}

function tellCheck(found: MachineComplianceDocument, why: string | undefined): ToldOutcome {
  const { instanceId, passed, failed, checkedOn, checkedAt, status } = found;
  const how =
    checkedOn === instanceId
      ? 'by running the check on it'
      : `by what the check found on ${checkedOn} at ${checkedAt}, where it read the same`;
  const where =
    status === 'recorded' ? '' : ' Systems Manager does not know the machine, so it stands here alone.';
  return {
    outcome: 'checked',
    sentence: `${passed} rule(s) pass and ${failed} fail, ${how}.${where}${after(why)}`,
  };
}

/** Whether the update is run on the instance itself, not on a clone of it. */
function isUpdatedOnline({ representative, witness }: ClassFacts['document'], instanceId: string): boolean {
  return [representative, witness].some((one) => one?.kind === 'live' && one.instanceId === instanceId);
}

function withWhat({ document: { representative, recorded }, recorded: facts }: ClassFacts): string {
  const { instanceId, kind } = representative;
  if (kind === 'live') return `with what the update does to ${instanceId}`;
  if (kind === 'clone') return `with what the update does to a clone of ${instanceId}`;
  const steps = facts?.told.deferred?.map(({ reason }) => reason) ?? [];
  const later = steps.length === 0 ? '' : ` (some of it at its first boot: ${steps.join('; ')})`;
  return `with what run ${recorded?.run} captured on ${instanceId} at ${recorded?.capturedAt}${later}`;
}

function patchedSentence({ apply, swap, matches }: MachineFacts, fallenOut: FallenOut): string {
  const { operations = 0, attempts = 1 } = apply ?? {};
  const blocks = (apply?.snapshots ?? []).reduce((sum, { putBlocks }) => sum + putBlocks, 0);
  const by = apply?.engine === 'kernel' ? ', by the kernel engine' : '';
  const again = attempts > 1 ? ` It took ${attempts} invocations.` : '';
  const kept = swap === undefined ? '' : ` The old volume is kept until ${swap.retainUntil.slice(0, 10)}.`;
  const stranger = matches.find(({ matched }) => !matched);
  const own =
    stranger === undefined
      ? ''
      : ` It had a round of its own, because it did not fit class ${stranger.classId}.${after(fallenOut.why(stranger))}`;
  return `Patched without being started: ${operations} operations in ${blocks} blocks${by}.${again}${kept}${own}`;
}

function tellFailure(failure: FailureDocument): ToldOutcome {
  const outcome = LEFT_ALONE.includes(failure.error) ? 'not-patched' : 'failed';
  return { outcome, sentence: `${failure.step}: ${failure.message} [${failure.error}]` };
}

function tellRepresentative({ update, failure, document }: ClassFacts, run: RunFacts): ToldOutcome {
  if (run.plan.settings.dryRun) {
    const sentence = `The update would be run on it by Run Command, as representative of ${document.memberCount} stopped member(s).`;
    return { outcome: 'would-be-updated-online', sentence };
  }
  if (update?.status === 'Success') {
    const then = failure === undefined ? '' : ` Then its class failed: ${failure.message}`;
    return {
      outcome: 'updated-online',
      sentence: `The update was run on it by Run Command, as representative of ${document.memberCount} stopped member(s).${then}`,
    };
  }
  if (failure !== undefined) return tellFailure(failure);
  return { outcome: 'not-patched', sentence: 'The run ended before the update was run on it.' };
}

/** The second machine on which the update is run; what it told or why it told nothing stands with the class. */
function tellWitness({ document, witness }: ClassFacts, run: RunFacts): ToldOutcome {
  const as = `as witness of what it does to ${document.representative.instanceId}`;
  if (run.plan.settings.dryRun) {
    const sentence = `The update would be run on it by Run Command, ${as}.`;
    return { outcome: 'would-be-updated-online', sentence };
  }
  const update = witness?.update;
  if (update === undefined) {
    return {
      outcome: 'not-patched',
      sentence: 'It was to be a witness, and the update was not begun on it.',
    };
  }
  if (update.status === 'Success') {
    return { outcome: 'updated-online', sentence: `The update was run on it by Run Command, ${as}.` };
  }
  const sentence = `The update was run on it by Run Command, ${as}, and had not ended well: ${update.status}.`;
  return { outcome: 'failed', sentence };
}

function tellUntouched(
  machine: MachineFacts,
  last: ClassFacts | undefined,
  run: RunFacts,
  fallenOut: FallenOut,
): ToldOutcome {
  const { matches, profile, snapshots } = machine;
  const match = matches.find(({ classId }) => classId === last?.document.classId);
  if (match?.alreadyPatched === true) {
    return { outcome: 'up-to-date', sentence: 'Everything that the update leaves was there already.' };
  }
  const leftOut = run.rounds
    .flatMap((round) => round.leftOut)
    .filter(({ instanceId }) => instanceId === machine.target.instanceId)
    .at(-1);
  if (leftOut !== undefined) {
    return {
      outcome: 'not-patched',
      sentence: `Left alone: ${leftOut.reason}.${after(fallenOut.why(match ?? matches.at(-1)))}`,
    };
  }
  if (last?.failure !== undefined) {
    const matched = match?.matched === true ? 'It matched, but its class failed' : 'Its class failed';
    return { outcome: 'not-patched', sentence: `${matched} before it was touched: ${last.failure.message}` };
  }
  if (match !== undefined) {
    const sentence = match.matched
      ? 'It matched, but the run ended before it was touched.'
      : `It does not match what the update expects.${after(fallenOut.why(match))}`;
    return { outcome: 'not-patched', sentence };
  }
  const reached =
    profile !== undefined ? 'classified' : snapshots !== undefined ? 'read from its snapshot' : 'snapshotted';
  return { outcome: 'not-patched', sentence: `The run ended before it was ${reached}.` };
}

const after = (sentence: string | undefined): string => (sentence === undefined ? '' : ` ${sentence}`);
