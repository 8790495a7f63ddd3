import type {
  ComplianceDocument,
  ExcludedInstance,
  FailureDocument,
  ManifestFacts,
  Usage,
} from '../workflow/documents';
import type { ClassItem } from '../workflow/payloads';
import type { CostItem } from './cost';

/** Every way in which a run can leave a machine. */
export type Outcome =
  | 'patched'
  | 'updated-online'
  | 'up-to-date'
  | 'checked'
  | 'would-be-patched'
  | 'would-be-updated-online'
  | 'not-patched'
  | 'failed'
  | 'rolled-back';

export interface ReportedDifference {
  readonly path: string;
  readonly record?: string;
  readonly why: string;
}

export interface ReportedMachine {
  readonly instanceId: string;
  readonly name: string;
  readonly state: 'running' | 'stopped';
  /** Mount point and kind, the root first; empty when it was not read. */
  readonly filesystems: readonly { readonly mountPoint: string; readonly kind: string }[];
  readonly outcome: Outcome;
  /** One or two sentences: what happened and why. */
  readonly sentence: string;
  /** Of a machine that did not fit its first class: how it differs, and who else does so. */
  readonly why?: string;
  readonly classId?: string;
  /** From its first step to its last. */
  readonly seconds: number;
  readonly usage: Usage;
  readonly usd: number;
  readonly oldVolumeIds: readonly string[];
  readonly newVolumeIds: readonly string[];
  readonly retainUntil?: string;
  /** Rules of a check. */
  readonly rules?: { readonly passed: number; readonly failed: number };
  readonly differences: readonly ReportedDifference[];
}

/** The update on one machine. */
export interface ReportedUpdate {
  readonly instanceId: string;
  readonly status: string;
  readonly seconds?: number;
  readonly outputTail?: string;
}

export interface ReportedClass extends ManifestFacts {
  readonly classId: string;
  readonly round: number;
  readonly representative: ClassItem['representative'];
  readonly reason: string;
  readonly memberCount: number;
  readonly matchedCount: number;
  readonly patchedCount: number;
  /** How often the update was run on a running system for this class: on the representative and on a witness. */
  readonly onlineUpdates: number;
  /** Where the manifest comes from, when an earlier run captured it. */
  readonly recorded?: {
    readonly run: string;
    readonly capturedAt: string;
    readonly ageHours: number;
    readonly instanceIds: readonly string[];
  };
  readonly operationCount?: number;
  readonly operationsByKind?: Readonly<Record<string, number>>;
  readonly contentBytes?: number;
  readonly leftOutPaths?: number;
  readonly manifestKey?: string;
  readonly manifestDigest?: string;
  /** On the representative. */
  readonly update?: ReportedUpdate;
  readonly witness?: ReportedUpdate;
  /** What a check found on the representative. */
  readonly compliance?: ComplianceDocument;
  readonly warnings: readonly string[];
  readonly failure?: FailureDocument;
  readonly cloneChanges: readonly { readonly path: string; readonly why: string }[];
  readonly usage: Usage;
}

export interface ReportCounts {
  readonly targets: number;
  readonly classes: number;
  readonly patched: number;
  readonly updatedOnline: number;
  /** How often the update was run on a running system, clones included. */
  readonly onlineUpdates: number;
  readonly upToDate: number;
  /** For whom a check has a result. */
  readonly checked: number;
  readonly notPatched: number;
  readonly failed: number;
  readonly rolledBack: number;
  readonly excluded: number;
}

/** report.json */
export interface Report {
  readonly formatVersion: 1;
  readonly run: string;
  readonly executionId: string;
  readonly update: { readonly name: string; readonly kind: string; readonly description?: string };
  readonly dryRun: boolean;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly seconds: number;
  readonly succeeded: boolean;
  /** One sentence: the whole run. */
  readonly summary: string;
  readonly counts: ReportCounts;
  readonly failure?: FailureDocument;
  readonly classes: readonly ReportedClass[];
  readonly machines: readonly ReportedMachine[];
  readonly excluded: readonly ExcludedInstance[];
  readonly usage: Usage;
  /** In a dry run, what a run would cost. */
  readonly cost: { readonly estimated: boolean; readonly usd: number; readonly items: readonly CostItem[] };
  readonly warnings: readonly string[];
}
