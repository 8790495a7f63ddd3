/** The JSON documents that the steps leave in the bucket for each other and for the report (keys.ts says where). */
import type { Manifest } from '../manifest/manifest-schema';
import type { ComplianceResult } from '../compliance/compliance-result';
import type { RememberedFit, RememberedManifest } from '../memory/remembered-manifest';
import type { RunSettings } from './run-input';
import type { CaughtError, ClassItem } from './payloads';
import type { SnapshotPurpose } from './keys';

/** What a step cost: each document that a step writes carries it, so that the report can add up. */
export interface StepCost {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly calls: Usage;
}

/** Calls that are paid for, and the bytes they moved. */
export interface Usage {
  readonly listCalls: number;
  readonly getBlocks: number;
  readonly putBlocks: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export interface ExcludedInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly reason: string;
}

/** plan.json: what the run is; nothing in it changes later. */
export interface PlanDocument {
  readonly formatVersion: 1;
  readonly run: string;
  readonly execution: { readonly id: string; readonly name: string; readonly startTime: string };
  /** By the clock of the functions, as all other times of the documents. */
  readonly startedAt: string;
  readonly settings: RunSettings;
  readonly targetCount: number;
  readonly excluded: readonly ExcludedInstance[];
  /** What earlier runs captured of the same update, the newest first. */
  readonly remembered?: readonly RememberedManifest[];
}

export interface VolumeAttributes {
  readonly type: string;
  readonly sizeGib: number;
  readonly iops?: number;
  readonly throughput?: number;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
  readonly availabilityZone: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface AttachedVolume {
  readonly volumeId: string;
  readonly deviceName: string;
  readonly isRoot: boolean;
  readonly deleteOnTermination: boolean;
  readonly attributes: VolumeAttributes;
}

/** target.json: the instance as the run found it. */
export interface TargetDocument {
  readonly instanceId: string;
  readonly name: string;
  readonly state: 'running' | 'stopped';
  readonly instanceType: string;
  readonly architecture: string;
  readonly bootMode?: string;
  readonly subnetId?: string;
  readonly rootDeviceName: string;
  /** ISO time of the last start; another value later means that somebody started the machine meanwhile. */
  readonly launchTime: string;
  readonly volumes: readonly AttachedVolume[];
}

export interface VolumeSnapshot {
  readonly volumeId: string;
  readonly deviceName: string;
  readonly isRoot: boolean;
  readonly snapshotId: string;
  readonly sizeGib: number;
}

/** snapshots-<purpose>.json */
export interface SnapshotsDocument extends StepCost {
  readonly instanceId: string;
  readonly purpose: SnapshotPurpose;
  /** State and last start when the first snapshot was asked for. */
  readonly state: string;
  readonly launchTime: string;
  readonly snapshots: readonly VolumeSnapshot[];
  readonly done: boolean;
  /** Before the first snapshot of a running representative: the command that writes its caches to the disk. */
  readonly flushCommandId?: string;
}

/** profile.json; `profile` is core/profile's own JSON. */
export interface ProfileDocument<Profile = unknown> extends StepCost {
  readonly instanceId: string;
  /** The root first. */
  readonly mounts: readonly { readonly mountPoint: string; readonly kind: string }[];
  /** Lines of fstab that are no part of the image, and why that is no harm. */
  readonly ignoredMounts: readonly { readonly mountPoint: string; readonly reason: string }[];
  readonly profile: Profile;
  /** What an earlier run captured and fits: the machine can be patched with no online run. */
  readonly fits?: RememberedFit;
}

/** rounds/<n>/classes.json: who is in which class and why; who is in none and why. */
export interface RoundDocument {
  readonly round: number;
  readonly classes: readonly {
    readonly classId: string;
    readonly signature: string;
    readonly representative: ClassItem['representative'];
    readonly witness?: { readonly instanceId: string; readonly kind: 'live' | 'clone' };
    readonly members: readonly string[];
    readonly reason: string;
  }[];
  readonly leftOut: readonly { readonly instanceId: string; readonly reason: string }[];
}

/** classes/<classId>/class.json */
export interface ClassDocument extends ClassItem {
  readonly signature: string;
  readonly reason: string;
}

/** classes/<classId>/clone-<original>.json */
export interface CloneDocument extends StepCost {
  readonly originalInstanceId: string;
  readonly done: boolean;
  /** Of every volume; one that was not changed is its own base. */
  readonly snapshots: readonly PatchedSnapshot[];
  /** The changed snapshots are completed. */
  readonly written: boolean;
  readonly imageId?: string;
  readonly cloneInstanceId?: string;
  /** What was changed on the copy so that it does none of its original's work. */
  readonly changes: readonly { readonly path: string; readonly why: string }[];
}

/** classes/<classId>/update-<instance>.json */
export interface ClassUpdateDocument {
  readonly classId: string;
  readonly instanceId: string;
  readonly commandId: string;
  readonly status: string;
  readonly exitCode?: number;
  /** Why the recorder was not sent along. */
  readonly notRecorded?: string;
  /** Last lines of what the update printed; the whole of it lies under `outputPrefix`. */
  readonly outputTail?: string;
  readonly outputPrefix: string;
  readonly startedAt: string;
  readonly endedAt?: string;
}

/** classes/<classId>/compliance.json: what a check found on the representative of a class. */
export interface ComplianceDocument {
  readonly checkedOn: string;
  readonly checkedAt: string;
  readonly complianceType: string;
  readonly result: ComplianceResult;
}

/** compliance.json of a machine for which a check's result holds. */
export interface MachineComplianceDocument {
  readonly instanceId: string;
  readonly classId: string;
  readonly checkedOn: string;
  readonly checkedAt: string;
  /** `not-managed`: Systems Manager does not know the machine, and the result stands in the report alone. */
  readonly status: 'recorded' | 'not-managed';
  readonly passed: number;
  readonly failed: number;
}

/** What a manifest tells people beside its operations. Where the update was run: the first is the representative. */
export type ManifestFacts = Pick<
  Manifest,
  'dataPoints' | 'recording' | 'accounts' | 'deferred' | 'decisions' | 'onlyOnline'
>;

/** classes/<classId>/capture.json */
export interface CaptureDocument extends StepCost {
  readonly classId: string;
  readonly instanceId: string;
  readonly manifestKey: string;
  readonly manifestDigest: string;
  readonly operationCount: number;
  readonly operationsByKind: Readonly<Record<string, number>>;
  readonly contentBytes: number;
  readonly told: ManifestFacts;
  readonly leftOutPaths: number;
  readonly warnings: readonly string[];
  /** What the update does to the witness, where that is something else: for those that are like it. */
  readonly witnessManifest?: Omit<RememberedFit, 'run'>;
}

/** match-<classId>.json; `differences` is a bounded list of core/match's own. */
export interface MatchDocument extends StepCost {
  readonly instanceId: string;
  readonly classId: string;
  readonly matched: boolean;
  readonly alreadyPatched: boolean;
  readonly manifestKey: string;
  readonly manifestDigest: string;
  readonly differences: readonly {
    readonly path: string;
    readonly record?: string;
    readonly found: string;
    readonly why: string;
  }[];
  readonly differenceCount: number;
}

export interface PatchedSnapshot extends VolumeSnapshot {
  readonly baseSnapshotId: string;
  readonly putBlocks: number;
}

/** apply.json */
export interface ApplyDocument extends StepCost {
  readonly instanceId: string;
  readonly classId: string;
  readonly manifestDigest: string;
  readonly operations: number;
  readonly contentBytes: number;
  /** What wrote; absent while nothing is written. */
  readonly engine?: 'direct' | 'kernel';
  /** Volumes that the manifest changed. Empty when it changed nothing. */
  readonly snapshots: readonly PatchedSnapshot[];
  /** How many invocations it took; more than one when a Lambda died or ran out of time. */
  readonly attempts: number;
  /** Every block is put: later invocations change none. */
  readonly put: boolean;
  /** The snapshots are completed; they may not be readable yet. */
  readonly written: boolean;
  readonly done: boolean;
}

/** volume.json */
export interface VolumeDocument {
  readonly instanceId: string;
  readonly volumes: readonly {
    readonly oldVolumeId: string;
    readonly newVolumeId: string;
    readonly snapshotId: string;
    readonly deviceName: string;
  }[];
  readonly startedAt: string;
  readonly endedAt?: string;
}

export interface VolumeSwap {
  readonly deviceName: string;
  readonly isRoot: boolean;
  readonly deleteOnTermination: boolean;
  readonly oldVolumeId: string;
  readonly newVolumeId: string;
  readonly attributes: VolumeAttributes;
}

/** swap.json: written before the first detach, so that it names every state the machine can be left in. */
export interface SwapDocument {
  readonly run: string;
  readonly instanceId: string;
  readonly launchTime: string;
  readonly swaps: readonly VolumeSwap[];
  readonly retainUntil: string;
  /** Which way it was last going, and whether it arrived. */
  readonly direction: 'forward' | 'back';
  readonly done: boolean;
  readonly startedAt: string;
  readonly endedAt?: string;
}

/** verify.json */
export interface VerifyDocument extends StepCost {
  readonly instanceId: string;
  readonly verifiedEntries: number;
}

export type MachineOutcome = 'patched' | 'failed' | 'rolled-back';

/** outcome.json */
export interface OutcomeDocument {
  readonly instanceId: string;
  readonly classId?: string;
  readonly outcome: MachineOutcome;
  readonly at: string;
}

/** failure.json of a machine, a class or the run. */
export interface FailureDocument {
  readonly step: string;
  readonly error: string;
  readonly message: string;
  readonly nextStep?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: CaughtError;
  readonly at: string;
}

/** leases/<instanceId>.json */
export interface LeaseDocument {
  readonly instanceId: string;
  /** The run, and whether it patches or rolls back. */
  readonly holder: string;
  readonly takenAt: string;
  readonly expiresAt: string;
}

/** A volume that was left where it is, and why. */
export interface LeftVolume {
  readonly volumeId: string;
  readonly why: string;
}

/** housekeeping/<day>/prune-<execution>.json */
export interface PruneDocument {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly removed: readonly {
    readonly volumeId: string;
    readonly run: string;
    readonly instanceId: string;
    readonly sizeGib: number;
    readonly retainUntil: string;
  }[];
  /** Volumes that are kept until a later day. */
  readonly notDue: number;
  readonly left: readonly LeftVolume[];
  readonly failed: readonly { readonly volumeId: string; readonly problem: string }[];
}

/** A dead run left this machine between its two volumes; `rollBackInput` is what roll-back-run takes to end it. */
export interface UnfinishedSwap {
  readonly run: string;
  readonly instanceId: string;
  readonly rollBackInput: { readonly run: string; readonly instanceIds: readonly string[] };
}

/** housekeeping/<day>/sweep-<execution>.json */
export interface SweepDocument {
  readonly startedAt: string;
  readonly endedAt: string;
  /** What was removed, by run, and why the run counts as dead. */
  readonly swept: readonly {
    readonly run: string;
    readonly why: string;
    readonly terminatedClones: number;
    readonly deletedSnapshots: number;
    readonly removedVolumes: readonly string[];
  }[];
  readonly left: readonly { readonly run: string; readonly why: string }[];
  readonly leftVolumes: readonly LeftVolume[];
  readonly unfinishedSwaps: readonly UnfinishedSwap[];
  readonly failed: readonly { readonly run: string; readonly problem: string }[];
}
