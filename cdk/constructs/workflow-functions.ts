import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type Need, type Step, type StepName, STEPS } from '../../core/workflow/steps';
import { BundledFunction } from './bundled-function';
import { grantClonesTerminate } from './clone-network';
import type { FleetRights } from './fleet-rights';
import { bundledCode, type FunctionCode, type FunctionImage, imageCode } from './function-code';
import type { RunBucket } from './run-bucket';
import type { StateMachineFromFile } from './state-machine-from-file';
import type { UpdatesAsset } from './updates-asset';

export interface WorkflowFunctionsProps {
  readonly bundlesFolder: string;
  /** Of the image for the steps that open images of machines; without it they have no kernel engine. */
  readonly image: FunctionImage | undefined;
  readonly logRetention: logs.RetentionDays;
  readonly bucket: RunBucket;
  readonly updates: UpdatesAsset;
  readonly fleet: FleetRights;
  readonly launch: (step: BundledFunction) => void;
}

/** One function for each line of core/workflow/steps.ts, with exactly the rights that the line names. */
export class WorkflowFunctions extends Construct {
  private readonly functions = new Map<StepName, BundledFunction>();
  private readonly readersOfExecutions: BundledFunction[] = [];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: WorkflowFunctionsProps,
  ) {
    super(scope, id);
    const { logRetention, bucket } = props;
    for (const step of STEPS) {
      const code = this.codeOf(step);
      const made = new BundledFunction(this, pascalCase(step.name), { step, code, logRetention });
      made.setVariable('BUCKET_NAME', bucket.bucket.bucketName);
      for (const need of (step as Step).needs) this.grant(need, made);
      this.functions.set(step.name, made);
    }
  }

  /** By the name that a state machine's file gives to the function's ARN. */
  bySubstitution(): ReadonlyMap<string, BundledFunction> {
    return new Map([...this.functions].map(([name, made]) => [`${pascalCase(name)}FunctionArn`, made]));
  }

  /** To the steps that need `executions-read`; `runs` must not call any of them. */
  grantExecutionsRead(runs: StateMachineFromFile): void {
    for (const { role } of this.readersOfExecutions) runs.grantExecutionsRead(role);
  }

  private codeOf(step: Step): FunctionCode {
    const { bundlesFolder, image } = this.props;
    return step.opensImages && image !== undefined
      ? imageCode(image, step)
      : bundledCode(bundlesFolder, step);
  }

  private grant(need: Need, made: BundledFunction): void {
    const { bucket, updates, fleet, launch } = this.props;
    const { role } = made;
    const grants: Record<Need, () => void> = {
      documents: () => bucket.grantDocuments(role),
      'documents-read': () => bucket.grantDocumentsRead(role),
      'housekeeping-documents': () => bucket.grantHousekeeping(role),
      'packs-read': () => bucket.grantPacksRead(role),
      'packs-write': () => bucket.grantPacksWrite(role),
      'memory-read': () => bucket.grantMemoryRead(role),
      'memory-write': () => bucket.grantMemoryWrite(role),
      leases: () => bucket.grantLeases(role),
      'updates-read': () => updates.grantRead(made),
      'fleet-read': () => fleet.grantFleetRead(role),
      'snapshots-create': () => fleet.grantSnapshotsCreate(role),
      'blocks-read': () => fleet.grantBlocksRead(role),
      'blocks-write': () => fleet.grantBlocksWrite(role),
      'volumes-create': () => fleet.grantVolumesCreate(role),
      'volumes-swap': () => fleet.grantVolumesSwap(role),
      'run-command': () => fleet.grantRunCommand(role),
      'compliance-write': () => fleet.grantComplianceWrite(role),
      'agents-read': () => fleet.grantAgentsRead(role),
      'clones-launch': () => launch(made),
      'clones-terminate': () => grantClonesTerminate(role),
      'snapshots-delete': () => fleet.grantSnapshotsDelete(role),
      'old-volumes-delete': () => fleet.grantOldVolumesDelete(role),
      'new-volumes-delete': () => fleet.grantNewVolumesDelete(role),
      // The state machine is made after the functions that it calls.
      'executions-read': () => this.readersOfExecutions.push(made),
    };
    grants[need]();
  }
}

/** `plan-run` as `PlanRun`. */
const pascalCase = (name: string): string =>
  name.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
