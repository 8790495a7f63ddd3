/** Times are milliseconds since the epoch on the cloud's clock; a time that lies ahead says that a transition is under way. */
export type Time = number;
export type Tags = Record<string, string>;

export interface AttachmentRecord {
  instanceId: string;
  device: string;
  deleteOnTermination: boolean;
  attachTime: Time;
  /** `attaching` until then. */
  attachedAt: Time;
  /** `detaching` until then, and gone afterwards. */
  detachedAt?: Time;
}

export interface VolumeRecord {
  volumeId: string;
  sizeGiB: number;
  availabilityZone: string;
  volumeType: string;
  iops?: number;
  throughput?: number;
  encrypted: boolean;
  kmsKeyId?: string;
  /** Empty when the volume was not made from a snapshot. */
  snapshotId: string;
  /** Names the family of snapshots that share blocks. */
  lineage: string;
  createTime: Time;
  /** `creating` until then. */
  availableAt: Time;
  /** The key cannot be used: the volume vanishes then, without an error state. */
  vanishesAt?: Time;
  /** `deleting` until then, and gone afterwards. */
  deletedAt?: Time;
  attachment?: AttachmentRecord;
  modification?: ModificationRecord;
  modificationTimes?: Time[];
  lastSnapshotAt?: Time;
  productCodes?: string[];
  tags: Tags;
}

export interface ModificationRecord {
  startTime: Time;
  endTime: Time;
  original: { sizeGiB: number; volumeType: string; iops?: number; throughput?: number };
  target: { sizeGiB: number; volumeType: string; iops?: number; throughput?: number };
}

export interface SnapshotRecord {
  snapshotId: string;
  /** `vol-ffffffff` for one that was made of blocks put by StartSnapshot. */
  volumeId: string;
  sizeGiB: number;
  description: string;
  startTime: Time;
  encrypted: boolean;
  kmsKeyId?: string;
  lineage: string;
  tags: Tags;
  /** `pending` until then; undefined while blocks are still being put. */
  completedAt?: Time;
  /** From then on the EBS direct APIs can read it. */
  readableAt?: Time;
  /** In state `error` from `completedAt` on, with this message. */
  errorMessage?: string;
  /** Made by StartSnapshot: what has to be known until it is complete. */
  upload?: UploadRecord;
  /** Blocks that differ from zero or were written, counted when complete. */
  fullSizeBytes?: number;
}

export interface UploadRecord {
  parentSnapshotId?: string;
  timeoutMinutes: number;
  lastPutAt: Time;
  /** Base64 SHA-256 by block index, of the blocks that were put. */
  digests: Record<number, string>;
}

export type InstanceState = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';

export interface InstanceRecord {
  instanceId: string;
  reservationId: string;
  imageId: string;
  instanceType: string;
  architecture: string;
  availabilityZone: string;
  subnetId: string;
  vpcId: string;
  securityGroups: { GroupId: string; GroupName: string }[];
  privateIpAddress: string;
  rootDeviceName: string;
  rootDeviceType: 'ebs' | 'instance-store';
  launchTime: Time;
  state: InstanceState;
  /** Reads show this state until then. */
  shown?: { state: InstanceState; until: Time };
  /** On its way out: its volumes and addresses are being taken from it. */
  released?: boolean;
  stateReason?: { Code: string; Message: string };
  stateTransitionReason: string;
  clientToken?: string;
  iamInstanceProfileArn?: string;
  platform?: string;
  productCodes: string[];
  hibernationConfigured: boolean;
  metadataHttpTokens: string;
  userData?: string;
  disableApiTermination: boolean;
  disableApiStop: boolean;
  tags: Tags;
}

export interface ImageRecord {
  imageId: string;
  name: string;
  description: string;
  architecture: string;
  rootDeviceName: string;
  creationDate: Time;
  blockDevices: {
    deviceName: string;
    snapshotId: string;
    sizeGiB: number;
    volumeType: string;
    deleteOnTermination: boolean;
    encrypted: boolean;
  }[];
  bootMode?: string;
  enaSupport: boolean;
  tags: Tags;
}

export interface SecurityGroupRecord {
  groupId: string;
  groupName: string;
  description: string;
  vpcId: string;
  tags: Tags;
}

export interface SubnetRecord {
  subnetId: string;
  vpcId: string;
  availabilityZone: string;
  cidrBlock: string;
  tags: Tags;
}
