/**
 * What goes into and comes out of every Lambda step. These are small: anything that grows with the fleet lies in the
 * bucket and only its key travels (a payload may not pass 256 KiB).
 */
import type { SnapshotPurpose } from './keys';

export interface MachineItem {
  readonly run: string;
  readonly instanceId: string;
}
/** A step that waits for AWS: the state machine waits and calls it again until `done`. */
export interface Reconciled {
  readonly done: boolean;
}

export interface PlanRunInput {
  /** As the person or the schedule gave it: see run-input.ts. */
  readonly input: unknown;
  readonly execution: { readonly id: string; readonly name: string; readonly startTime: string };
}
export interface PlanRunOutput {
  readonly run: string;
  readonly update: string;
  readonly dryRun: boolean;
  readonly maxConcurrency: number;
  readonly toleratedFailurePercentage: number;
  readonly maxRounds: number;
  readonly targetCount: number;
  readonly targetsKey: string;
}

export interface SnapshotInstanceInput extends MachineItem {
  readonly purpose: SnapshotPurpose;
  readonly classId?: string;
}
export interface SnapshotInstanceOutput extends Reconciled {
  readonly snapshotsKey: string;
}

export type ProfileInstanceInput = MachineItem;
export interface ProfileInstanceOutput {
  readonly profileKey: string;
}

/** The `$states.errorOutput` of a Catch. */
export interface CaughtError {
  readonly Error?: string;
  readonly Cause?: string;
}
export interface RecordFailureInput {
  readonly run: string;
  /** A machine, or (without it) a class, or (without both) the run. */
  readonly instanceId?: string;
  readonly classId?: string;
  readonly step: string;
  readonly error: CaughtError;
}
export interface RecordFailureOutput {
  readonly failureKey: string;
}

export interface ClassifyTargetsInput {
  readonly run: string;
  readonly round: number;
}
export interface ClassifyTargetsOutput {
  readonly round: number;
  readonly classCount: number;
  readonly classesKey: string;
}
export interface RecordedManifest {
  readonly manifestKey: string;
  readonly manifestDigest: string;
  /** ISO 8601. */
  readonly capturedAt: string;
  readonly run: string;
}
/** The class does not wait for it longer than that. */
export interface WitnessItem {
  readonly instanceId: string;
  readonly kind: 'live' | 'clone';
  readonly timeoutSeconds: number;
  /** In later rounds: the update is run on it when what other classes told does not explain the representative's. */
  readonly onlyIfNeeded?: true;
}
/** One line of classes.jsonl. */
export interface ClassItem {
  readonly run: string;
  readonly round: number;
  readonly classId: string;
  readonly representative: {
    readonly instanceId: string;
    /** `recorded`: no online run, since every member matches what an earlier run captured on that instance. */
    readonly kind: 'live' | 'clone' | 'recorded';
  };
  /** Of a recorded representative: what was captured, and when. */
  readonly recorded?: RecordedManifest;
  /** Of an update that only looks: its result is recorded for every member that it holds for, and nobody is patched. */
  readonly check?: true;
  /** A second machine on which the update is run; without one there is one data point. */
  readonly witness?: WitnessItem;
  readonly memberCount: number;
  readonly membersKey: string;
  readonly maxConcurrency: number;
  readonly toleratedFailurePercentage: number;
}
/** One line of a members file. */
export interface MemberItem extends MachineItem {
  readonly classId: string;
}

/** `instanceId` is the member whose copy the clone is. */
export type LaunchCloneInput = MemberItem;
export interface LaunchCloneOutput extends Reconciled {
  readonly cloneInstanceId?: string;
}
/** `instanceId` is the member whose copy the clone is; a clone that never came up is found by its tags. */
export type TerminateCloneInput = MemberItem;
export type TerminateCloneOutput = Reconciled;

/** `instanceId` is the machine on which the update is run. */
export type StartUpdateInput = MemberItem;
export interface StartUpdateOutput {
  readonly commandId: string;
}
export interface CheckUpdateInput extends MemberItem {
  readonly commandId: string;
}
export interface CheckUpdateOutput extends Reconciled {
  readonly status: string;
}

/** `instanceId` is the representative, or its clone. */
export interface CaptureUpdateInput extends MemberItem {
  readonly witness?: WitnessResult;
}
/** How the update ended on the witness. */
export interface WitnessResult {
  /** The machine on which it was run; when it failed, the witness that was chosen. */
  readonly instanceId: string;
  /** Null when all went well. */
  readonly error: CaughtError | null;
}
export interface CaptureUpdateOutput {
  readonly manifestKey: string;
  readonly manifestDigest: string;
  readonly operationCount: number;
  /** Whether the witness that is kept for this should be asked before anybody is patched by this manifest. */
  readonly witnessNeeded: boolean;
}

/** A member with the manifest that is to be matched with it or applied to it. */
export interface PatchItem extends MemberItem {
  readonly manifestKey: string;
  readonly manifestDigest: string;
}
export type MatchInstanceInput = PatchItem;
export interface MatchInstanceOutput {
  readonly matched: boolean;
}
export interface SelectMatchedInput {
  readonly run: string;
  readonly classId: string;
}
export interface SelectMatchedOutput {
  readonly matchedCount: number;
  /** Absent when nothing matched. */
  readonly canary?: PatchItem;
  readonly restKey: string;
  readonly restCount: number;
}

/** A check's result holds for the representative and every member that matched. */
export interface RecordComplianceInput {
  readonly run: string;
  readonly classId: string;
}
export interface RecordComplianceOutput extends Reconciled {
  readonly recordedCount: number;
}

export interface RememberManifestInput {
  readonly run: string;
  readonly classId: string;
}
export interface RememberManifestOutput {
  /** False for a manifest that may serve no other run. */
  readonly remembered: boolean;
}

/** In a roll back there is no class: `classId` is absent. */
export interface LeaseInput extends MachineItem {
  readonly classId?: string;
}
export interface TakeLeaseInput extends LeaseInput {
  /** Given for all members but the canary: the lease is refused when more of the class have failed than that. */
  readonly tolerance?: { readonly percentage: number; readonly memberCount: number };
}
export interface TakeLeaseOutput {
  readonly leaseKey: string;
}
export type ApplyManifestInput = PatchItem;
export interface ApplyManifestOutput extends Reconciled {
  readonly snapshotId?: string;
  readonly putBlocks: number;
  readonly getBlocks: number;
}
export type CreateVolumeInput = MemberItem;
export interface CreateVolumeOutput extends Reconciled {
  readonly volumeIds: readonly string[];
}
export interface SwapVolumeInput extends MachineItem {
  readonly direction: 'forward' | 'back';
}
export interface SwapVolumeOutput extends Reconciled {
  /** What was done or waited for, in a few words, for the execution's history. */
  readonly state: string;
}
export type VerifyInstanceInput = PatchItem;
export interface VerifyInstanceOutput {
  readonly verified: true;
}
export interface ReleaseLeaseInput extends LeaseInput {
  readonly outcome: 'patched' | 'failed' | 'rolled-back';
}
export interface ReleaseLeaseOutput {
  readonly released: boolean;
}

export interface CleanUpRunInput {
  readonly run: string;
}
export interface CleanUpRunOutput extends Reconciled {
  readonly deletedSnapshots: number;
  readonly terminatedClones: number;
}
export interface WriteReportInput {
  readonly run: string;
  readonly error?: CaughtError;
}
export interface WriteReportOutput {
  readonly reportKey: string;
  readonly htmlKey: string;
  readonly targets: number;
  readonly classes: number;
  readonly patched: number;
  readonly updatedOnline: number;
  readonly onlineUpdates: number;
  readonly upToDate: number;
  readonly checked: number;
  readonly notPatched: number;
  readonly failed: number;
  readonly excluded: number;
  /** False when the run failed, a class failed, or more machines failed than the input tolerates. */
  readonly succeeded: boolean;
  /** One sentence for the console. */
  readonly summary: string;
}

export interface PlanRollBackInput {
  /** `{"run": "...", "instanceIds"?: [...]}` as typed by a person. */
  readonly input: unknown;
  readonly execution: { readonly id: string; readonly name: string; readonly startTime: string };
}
export interface PlanRollBackOutput {
  readonly run: string;
  readonly itemCount: number;
  /** JSONL of MachineItem. */
  readonly itemsKey: string;
}

/** Of the execution of keep-house, which names the documents that its steps leave. */
export interface HousekeepingInput {
  readonly execution: { readonly name: string; readonly startTime: string };
}
export type PruneVolumesInput = HousekeepingInput;
export interface PruneVolumesOutput extends Reconciled {
  readonly documentKey: string;
  readonly removed: number;
  readonly notDue: number;
  readonly left: number;
}
export type SweepRunsInput = HousekeepingInput;
export interface SweepRunsOutput extends Reconciled {
  readonly documentKey: string;
  readonly sweptRuns: number;
  readonly left: number;
}
