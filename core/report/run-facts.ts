import type {
  ApplyDocument,
  CaptureDocument,
  ClassDocument,
  ClassUpdateDocument,
  CloneDocument,
  ComplianceDocument,
  FailureDocument,
  MachineComplianceDocument,
  ManifestFacts,
  MatchDocument,
  OutcomeDocument,
  PlanDocument,
  ProfileDocument,
  RoundDocument,
  SnapshotsDocument,
  SwapDocument,
  TargetDocument,
  VerifyDocument,
} from '../workflow/documents';

/** Everything that the steps of a run left behind about one machine; what is absent did not happen. */
export interface MachineFacts {
  readonly target: TargetDocument;
  readonly snapshots?: SnapshotsDocument;
  readonly profile?: Pick<ProfileDocument, 'mounts' | 'startedAt' | 'endedAt' | 'calls'>;
  /** Version by package. */
  readonly packages?: Readonly<Record<string, string>>;
  readonly matches: readonly MatchDocument[];
  readonly apply?: ApplyDocument;
  readonly swap?: SwapDocument;
  readonly verify?: VerifyDocument;
  readonly compliance?: MachineComplianceDocument;
  readonly outcome?: OutcomeDocument;
  readonly failure?: FailureDocument;
}

/** How the update went on one machine, or on its clone. */
export interface OnlineFacts {
  readonly clone?: CloneDocument;
  readonly update?: ClassUpdateDocument;
}

/** Of the representative, and all else of the class. */
export interface ClassFacts extends OnlineFacts {
  readonly document: ClassDocument;
  readonly members: readonly string[];
  readonly witness?: OnlineFacts;
  /** Of a class that is patched by what an earlier run captured. */
  readonly recorded?: { readonly operationCount: number; readonly told: ManifestFacts };
  readonly capture?: CaptureDocument;
  readonly compliance?: ComplianceDocument;
  readonly failure?: FailureDocument;
}

export interface RunFacts {
  readonly plan: PlanDocument;
  readonly rounds: readonly RoundDocument[];
  readonly classes: readonly ClassFacts[];
  readonly machines: readonly MachineFacts[];
  readonly failure?: FailureDocument;
  /** When the report is written. */
  readonly now: string;
}
