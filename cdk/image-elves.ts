import * as path from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { CloneNetwork, type CloneNetworkProps } from './constructs/clone-network';
import { FleetRights } from './constructs/fleet-rights';
import { Housekeeping, type HousekeepingProps } from './constructs/housekeeping';
import { RunAlarms } from './constructs/run-alarms';
import { RunBucket } from './constructs/run-bucket';
import { RunSchedule, type RunScheduleProps } from './constructs/run-schedule';
import { StateMachineFromFile, type Substitution } from './constructs/state-machine-from-file';
import { UpdatesAsset } from './constructs/updates-asset';
import { VolumeKeys } from './constructs/volume-keys';
import { WorkflowFunctions } from './constructs/workflow-functions';
import { checkedDocument } from './checked-document';
import type { Update } from './update';

/** Which instances a run is for, unless its input says otherwise: those with all the tags, and those named. */
export interface FleetTargets {
  /**
   * Tag keys with the values that count, any of them.
   *
   * @default - none
   */
  readonly tags?: Record<string, string | string[]>;
  /**
   * @default - none
   */
  readonly instanceIds?: string[];
}

export interface ImageElvesProps {
  /** What a run can do, by the name that its input gives: `{"update": "security"}`. At least one. */
  readonly updates: Record<string, Update>;
  /**
   * The fleet. `Patch Group` and `PatchGroup` are the tag keys that Systems Manager Patch Manager uses.
   *
   * @default - none: every run names its targets
   */
  readonly targets?: FleetTargets;
  /**
   * Runs that start by the clock, by a name for each.
   *
   * @default - none: runs are started by hand
   */
  readonly schedules?: Record<string, RunScheduleProps>;
  /**
   * Where clones start. A clone stands in for a class of which no member runs, and is the second machine on which the
   * update is run where no second member runs.
   *
   * @default - none: classes without a running member are reported as not patched
   */
  readonly clones?: CloneNetworkProps;
  /**
   * How long a replaced volume is kept, for roll back. The first housekeeping after that deletes it.
   *
   * @default Duration.days(7)
   */
  readonly volumeRetention?: Duration;
  /**
   * When old volumes whose retention has ended are deleted, and what dead runs left is removed.
   *
   * @default - every day
   */
  readonly housekeeping?: HousekeepingProps;
  /**
   * Machines that are read, or patched, at the same time.
   *
   * @default 40
   */
  readonly maxConcurrency?: number;
  /**
   * How many machines of a class, in percent, may fail before the others are left alone and the run fails.
   *
   * @default 10
   */
  readonly toleratedFailurePercentage?: number;
  /**
   * Which machine of a class is updated online: a running member, a clone of one, or a running one where there is one.
   *
   * @default "auto"
   */
  readonly representative?: 'auto' | 'live' | 'clone';
  /**
   * How often members that did not match form new classes.
   *
   * @default 3
   */
  readonly maxRounds?: number;
  /**
   * Encrypts the bucket. A given key's policy must let this account's IAM policies decide, as the default one does.
   *
   * @default - a key of its own, with rotation
   */
  readonly encryptionKey?: kms.IKey;
  /**
   * The customer managed keys of the fleet's volumes. Their key policies must allow use through EC2 by this account.
   *
   * @default - whichever key of this account and Region a volume has
   */
  readonly volumeKeys?: kms.IKey[];
  /**
   * Told when a run or a roll back failed, or a schedule could not start one.
   *
   * @default - none: the alarms are there, and tell nobody
   */
  readonly alarmTopic?: sns.ITopic;
  /**
   * How long the documents of a run, its report included, are kept. Without them it can neither be rolled back nor pruned,
   * so they are kept longer than its volumes.
   *
   * @default Duration.days(365)
   */
  readonly documentRetention?: Duration;
  /**
   * Of all functions and state machines.
   *
   * @default RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;
  /**
   * Linux's own filesystem drivers, in a small emulated machine, for the machines whose filesystems ImageElves does not
   * write by itself (XFS, btrfs, LVM) and for logs that only the kernel replays. The functions that open images are then
   * container images for x86_64, and deploying takes Docker; synthesizing does not.
   *
   * @default true
   */
  readonly kernelEngine?: boolean;
  /**
   * The Debian packages of which the kernel engine is made when it is deployed: exactly those that this version was tested
   * with, or also newer ones where Debian has replaced them.
   *
   * @default "pinned": building fails when Debian has a package no more
   */
  readonly kernelEnginePackages?: 'pinned' | 'newest';
  /**
   * Where the Dockerfile of that image is, with all that it copies.
   *
   * @default - dist/kernel-engine/image, as `npm run bundle` writes it
   */
  readonly imageFolder?: string;
  /**
   * Where the bundles of the functions are, a folder for each step.
   *
   * @default - dist/lambdas, as `npm run bundle` writes it
   */
  readonly bundlesFolder?: string;
}

const ROOT = path.join(__dirname, '..');

/**
 * Brings updates to a fleet of EC2 instances, the stopped ones included, without starting those.
 *
 * A run is an execution of `patchFleet`: started by a schedule, or by hand with `{"update": "<name>"}`.
 */
export class ImageElves extends Construct {
  readonly bucket: RunBucket;
  /** One run over the fleet. */
  readonly patchFleet: StateMachineFromFile;
  /** The way back: `{"run": "<name>"}`. */
  readonly rollBackRun: StateMachineFromFile;
  /** Deletes old volumes whose retention has ended, and what dead runs left: `{}`. */
  readonly keepHouse: StateMachineFromFile;

  /** @throws InvalidPropsError naming every mistake */
  constructor(scope: Construct, id: string, props: ImageElvesProps) {
    super(scope, id);
    const document = checkedDocument(props);
    const logRetention = props.logRetention ?? logs.RetentionDays.THREE_MONTHS;

    this.bucket = new RunBucket(this, 'Runs', {
      encryptionKey: props.encryptionKey ?? this.ownKey(),
      documentRetention: props.documentRetention ?? Duration.days(365),
    });
    const keys = new VolumeKeys(props.volumeKeys);
    const clones = props.clones === undefined ? undefined : new CloneNetwork(this, 'Clones', props.clones);
    if (clones !== undefined) this.bucket.grantUpdateOutput(clones.role);

    const functions = new WorkflowFunctions(this, 'Steps', {
      bundlesFolder: props.bundlesFolder ?? path.join(ROOT, 'dist', 'lambdas'),
      image:
        props.kernelEngine === false
          ? undefined
          : {
              folder: props.imageFolder ?? path.join(ROOT, 'dist', 'kernel-engine', 'image'),
              packages: props.kernelEnginePackages ?? 'pinned',
            },
      logRetention,
      bucket: this.bucket,
      updates: new UpdatesAsset(this, 'Updates', document),
      fleet: new FleetRights(
        keys,
        document.updates.flatMap((update) => (update.kind === 'document' ? [update.document.name] : [])),
      ),
      launch: (step) => clones?.grantLaunch(step, keys),
    });

    const substitutions = new Map<string, Substitution>();
    for (const [name, made] of functions.bySubstitution()) {
      substitutions.set(name, {
        value: made.function.functionArn,
        grant: ({ role }) => made.grantInvoke(role),
      });
    }
    substitutions.set('BucketName', {
      value: this.bucket.bucket.bucketName,
      grant: ({ role }) => this.bucket.grantMapItems(role),
    });
    const machine = (name: string, file: string): StateMachineFromFile => {
      const made = new StateMachineFromFile(this, name, {
        file: path.join(ROOT, 'statemachines', file),
        substitutions,
        logRetention,
      });
      substitutions.set(`${name}StateMachineArn`, {
        value: made.stateMachine.stateMachineArn,
        grant: (parent) => made.grantNestedExecution(parent),
      });
      return made;
    };
    // From the inside out: each may name those before it.
    machine('PatchInstance', 'patch-instance.asl.json');
    machine('RunUpdate', 'run-update.asl.json');
    machine('UpdateClass', 'update-class.asl.json');
    this.patchFleet = machine('PatchFleet', 'patch-fleet.asl.json');
    this.rollBackRun = machine('RollBackRun', 'roll-back-run.asl.json');
    this.keepHouse = machine('KeepHouse', 'keep-house.asl.json');
    functions.grantExecutionsRead(this.patchFleet);

    const deadLetterQueue = this.deadLetterQueue();
    for (const [name, schedule] of Object.entries(props.schedules ?? {})) {
      new RunSchedule(this, `Schedule-${name}`, this.patchFleet.stateMachine, deadLetterQueue, schedule);
    }
    const housekeeping = props.housekeeping ?? {};
    new Housekeeping(this, 'Housekeeping', this.keepHouse.stateMachine, deadLetterQueue, housekeeping);
    new RunAlarms(this, 'Alarms', {
      patchFleet: this.patchFleet.stateMachine,
      rollBackRun: this.rollBackRun.stateMachine,
      keepHouse: this.keepHouse.stateMachine,
      deadLetterQueue,
      topic: props.alarmTopic,
    });
    this.output('PatchFleetStateMachineArn', this.patchFleet.stateMachine.stateMachineArn);
    this.output('RollBackRunStateMachineArn', this.rollBackRun.stateMachine.stateMachineArn);
    this.output('KeepHouseStateMachineArn', this.keepHouse.stateMachine.stateMachineArn);
    this.output('RunBucketName', this.bucket.bucket.bucketName);
  }

  /**
   * Lets the SSM agent of the fleet's own machines put the whole output of an update into the bucket, with the role of
   * their instance profile. Without it a run has the first 24,000 characters.
   */
  grantUpdateOutput(role: iam.IGrantable): void {
    this.bucket.grantUpdateOutput(role);
  }

  private ownKey(): kms.Key {
    return new kms.Key(this, 'Key', {
      description: 'Encrypts the documents of runs, the contents of updates and the leases of machines',
      enableKeyRotation: true,
      // What it encrypts outlives the stack, so it does too.
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  private deadLetterQueue(): sqs.Queue {
    const queue = new sqs.Queue(this, 'NotStarted', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is the dead-letter queue of the schedules.',
    });
    return queue;
  }

  private output(name: string, value: string): void {
    new CfnOutput(this, name, { value }).overrideLogicalId(name);
  }
}
