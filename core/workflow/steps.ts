/**
 * The Lambda steps of the state machines: one file each in lambdas/, and what each may do. `cdk/` makes one function and
 * one role of every line, so a step cannot get a right without its name standing here.
 */

/**
 * Rights, by what they are for. The IAM actions each of them stands for:
 *
 * - `documents`: read and write `runs/*`, list the bucket; `documents-read`: read and list only
 * - `housekeeping-documents`: read and write `housekeeping/*`
 * - `packs-read`: read `packs/*`; `packs-write`: also write there (conditional puts only)
 * - `memory-read`: read `memory/*`; `memory-write`: write there
 * - `leases`: read and write `leases/*`
 * - `updates-read`: read the asset at UPDATES_BUCKET/UPDATES_KEY
 * - `fleet-read`: ec2:DescribeInstances, DescribeVolumes, DescribeSnapshots, DescribeImages, DescribeInstanceAttribute
 * - `snapshots-create`: ec2:CreateSnapshot on volumes, and with ec2:CreateTags on the snapshots it makes
 * - `blocks-read`: ebs:ListSnapshotBlocks, ListChangedBlocks, GetSnapshotBlock on snapshots tagged with imageelves:run
 * - `blocks-write`: ebs:StartSnapshot, PutSnapshotBlock, CompleteSnapshot, ec2:CreateTags when starting
 * - `volumes-create`: ec2:CreateVolume with imageelves:run, ec2:CreateTags when creating
 * - `volumes-swap`: ec2:DetachVolume, AttachVolume, ModifyInstanceAttribute (block device mapping), CreateTags and DeleteTags of ours on volumes
 * - `run-command`: ssm:SendCommand (AWS-RunShellScript and the documents that updates name, on targets and clones),
 *   GetCommandInvocation, ListCommandInvocations, ListCommands
 * - `compliance-write`: ssm:PutComplianceItems
 * - `agents-read`: ssm:DescribeInstanceInformation
 * - `clones-launch`: ec2:RegisterImage, RunInstances, ec2:CreateTags when creating, iam:PassRole of the clone's role
 * - `clones-terminate`: ec2:TerminateInstances, DeregisterImage on what is tagged imageelves:purpose=clone
 * - `snapshots-delete`: ec2:DeleteSnapshot on what is tagged with imageelves:run and imageelves:volume
 * - `old-volumes-delete`: ec2:DeleteVolume on what is tagged with imageelves:run and imageelves:retain-until, DeleteTags of the latter
 * - `new-volumes-delete`: ec2:DeleteVolume on what is tagged imageelves:purpose=patched, and not imageelves:retain-until
 * - `executions-read`: states:DescribeExecution on runs
 */
export type Need =
  | 'documents'
  | 'documents-read'
  | 'housekeeping-documents'
  | 'packs-read'
  | 'packs-write'
  | 'memory-read'
  | 'memory-write'
  | 'leases'
  | 'updates-read'
  | 'fleet-read'
  | 'snapshots-create'
  | 'blocks-read'
  | 'blocks-write'
  | 'volumes-create'
  | 'volumes-swap'
  | 'run-command'
  | 'compliance-write'
  | 'agents-read'
  | 'clones-launch'
  | 'clones-terminate'
  | 'snapshots-delete'
  | 'old-volumes-delete'
  | 'new-volumes-delete'
  | 'executions-read';

/** Environment variables beside BUCKET_NAME, which every function gets. */
export type StepVariable =
  | 'UPDATES_BUCKET'
  | 'UPDATES_KEY'
  /** Subnet of clones. Without it a clone starts in its original's subnet. */
  | 'CLONE_SUBNET_ID'
  /** Comma-separated ids. Must let nothing in. Without it no clone is launched. */
  | 'CLONE_SECURITY_GROUP_IDS'
  /** Name of the instance profile that lets the SSM agent of a clone register. */
  | 'CLONE_INSTANCE_PROFILE'
  /** Instance type of clones; without it the original's. */
  | 'CLONE_INSTANCE_TYPE';

export interface Step {
  /** File name in lambdas/ without `.ts`, and folder in dist/lambdas/. */
  readonly name: string;
  /** One sentence: the function's description. */
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly variables: readonly StepVariable[];
  readonly needs: readonly Need[];
  /** Reads or writes filesystems of machines, for which it may need the kernel engine. */
  readonly opensImages?: true;
}

/** Steps that read or write blocks: network and CPU of a function grow with its memory. */
const HEAVY = { timeoutSeconds: 900, memoryMb: 3008 } as const;
const LIGHT = { timeoutSeconds: 120, memoryMb: 512 } as const;

export const STEPS = [
  {
    name: 'plan-run',
    description: 'Checks the input, finds the targets and says why others are left out.',
    ...LIGHT,
    timeoutSeconds: 300,
    variables: ['UPDATES_BUCKET', 'UPDATES_KEY'],
    needs: ['documents', 'updates-read', 'memory-read', 'fleet-read'],
  },
  {
    name: 'snapshot-instance',
    description: 'Snapshots the volumes of one instance, once for each purpose.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'fleet-read', 'snapshots-create', 'blocks-read', 'run-command'],
  },
  {
    name: 'profile-instance',
    description:
      'Reads what the update is expected to touch from the snapshots of one instance, and what of earlier runs fits it.',
    ...HEAVY,
    variables: [],
    opensImages: true,
    needs: ['documents', 'packs-read', 'blocks-read'],
  },
  {
    name: 'record-failure',
    description: 'Writes down what failed on a machine, in a class or in the run.',
    ...LIGHT,
    variables: [],
    needs: ['documents'],
  },
  {
    name: 'classify-targets',
    description: 'Groups equal images into classes and chooses a representative of each.',
    ...HEAVY,
    variables: [],
    needs: ['documents', 'agents-read'],
  },
  {
    name: 'launch-clone',
    description:
      'Starts an isolated copy of a stopped member, changed offline so that it does none of its work.',
    ...HEAVY,
    variables: [
      'CLONE_SUBNET_ID',
      'CLONE_SECURITY_GROUP_IDS',
      'CLONE_INSTANCE_PROFILE',
      'CLONE_INSTANCE_TYPE',
    ],
    opensImages: true,
    needs: ['documents', 'fleet-read', 'blocks-read', 'blocks-write', 'clones-launch', 'agents-read'],
  },
  {
    name: 'start-update',
    description: 'Starts the update on the representative by Run Command.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'run-command'],
  },
  {
    name: 'check-update',
    description: 'Asks whether the update on the representative has ended, and how.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'run-command'],
  },
  {
    name: 'capture-update',
    description: 'Turns the two snapshots of the representative into a manifest and its contents.',
    ...HEAVY,
    variables: [],
    opensImages: true,
    needs: ['documents', 'packs-write', 'blocks-read'],
  },
  {
    name: 'terminate-clone',
    description: 'Terminates the clone of a class and removes its image.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'fleet-read', 'clones-terminate'],
  },
  {
    name: 'match-instance',
    description: 'Compares one member with what the manifest expects, before anything is written.',
    ...HEAVY,
    variables: [],
    opensImages: true,
    needs: ['documents', 'packs-read', 'blocks-read'],
  },
  {
    name: 'select-matched',
    description: 'Lists the members that matched and picks the canary.',
    ...LIGHT,
    timeoutSeconds: 300,
    variables: [],
    needs: ['documents'],
  },
  {
    name: 'record-compliance',
    description: 'Records what a check found for every machine for which it holds.',
    ...LIGHT,
    timeoutSeconds: 900,
    variables: [],
    needs: ['documents', 'compliance-write'],
  },
  {
    name: 'remember-manifest',
    description: 'Keeps what was captured for a class for later runs of the same update.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'memory-write'],
  },
  {
    name: 'take-lease',
    description: 'Takes the lease of one instance, so that no two runs change it.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'leases'],
  },
  {
    name: 'apply-manifest',
    description: 'Performs the manifest on the blocks of one member, as a new incremental snapshot.',
    ...HEAVY,
    variables: [],
    opensImages: true,
    needs: ['documents', 'leases', 'packs-read', 'fleet-read', 'blocks-read', 'blocks-write'],
  },
  {
    name: 'create-volume',
    description: 'Makes a volume of the patched snapshot with the attributes of the old one.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'fleet-read', 'volumes-create'],
  },
  {
    name: 'swap-volume',
    description: 'Puts the new volume in the place of the old one, or the old one back.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'leases', 'fleet-read', 'volumes-swap'],
  },
  {
    name: 'verify-instance',
    description: 'Reads the patched snapshot back and checks the swapped instance.',
    ...HEAVY,
    variables: [],
    opensImages: true,
    needs: ['documents', 'packs-read', 'fleet-read', 'blocks-read'],
  },
  {
    name: 'release-lease',
    description: 'Records the outcome of one machine and releases its lease.',
    ...LIGHT,
    variables: [],
    needs: ['documents', 'leases'],
  },
  {
    name: 'clean-up-run',
    description: 'Removes the temporary snapshots and clones of a run, never an old volume.',
    ...LIGHT,
    timeoutSeconds: 600,
    variables: [],
    needs: ['documents', 'fleet-read', 'clones-terminate', 'snapshots-delete'],
  },
  {
    name: 'write-report',
    description: 'Writes report.json and report.html of a run.',
    ...LIGHT,
    memoryMb: 1024,
    timeoutSeconds: 300,
    variables: [],
    needs: ['documents'],
  },
  {
    name: 'plan-roll-back',
    description: 'Lists the machines of a run whose old volumes can be put back.',
    ...LIGHT,
    timeoutSeconds: 300,
    variables: [],
    needs: ['documents'],
  },
  {
    name: 'prune-volumes',
    description: 'Deletes old volumes whose retention has ended, and nothing that a machine or a run has.',
    ...LIGHT,
    timeoutSeconds: 900,
    variables: [],
    needs: ['documents-read', 'housekeeping-documents', 'leases', 'fleet-read', 'old-volumes-delete'],
  },
  {
    name: 'sweep-runs',
    description: 'Removes what runs left that ended without a clean-up, and names half swapped machines.',
    ...LIGHT,
    timeoutSeconds: 900,
    variables: [],
    needs: [
      'documents-read',
      'housekeeping-documents',
      'leases',
      'fleet-read',
      'executions-read',
      'clones-terminate',
      'snapshots-delete',
      'new-volumes-delete',
    ],
  },
] as const satisfies readonly Step[];

export type StepName = (typeof STEPS)[number]['name'];
