import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../clock';
import { AVAILABILITY_ZONES, DEFAULT_AVAILABILITY_ZONE } from './account';
import { BlockMap, type BlockRuns } from './block-map';
import type { BlockStorage } from './block-storage';
import type { EventLog } from './event-log';
import { JsonDocument, readJson, writeJsonAtomically } from './json-document';
import { KeyedLock } from './keyed-lock';
import type {
  ImageRecord,
  InstanceRecord,
  SecurityGroupRecord,
  SnapshotRecord,
  SubnetRecord,
  Time,
  VolumeRecord,
} from './resources';
import { DEFAULT_TIMINGS, type Timings } from './timings';

export const DEFAULT_VPC_ID = 'vpc-0a0a0a0a0a0a0a0a0';
export const DEFAULT_SUBNET_ID = 'subnet-0a0a0a0a0a0a0a0a0';
export const DEFAULT_SECURITY_GROUP_ID = 'sg-0a0a0a0a0a0a0a0a0';

/** What an idempotent call was first given and what it made. */
export interface TokenRecord {
  parameters: string;
  resourceId: string;
}

interface Document {
  instances: InstanceRecord[];
  volumes: VolumeRecord[];
  snapshots: SnapshotRecord[];
  images: ImageRecord[];
  securityGroups: SecurityGroupRecord[];
  subnets: SubnetRecord[];
  tokens: [string, TokenRecord][];
}

export interface StateOptions {
  clock: Clock;
  events: EventLog;
  storage: BlockStorage;
  /** Where the state is kept; without it nothing outlives the process (tests). */
  folder?: string;
  timings?: Partial<Timings>;
}

/**
 * What EC2 and EBS of the embedded cloud know: one set of records in memory, followed by a JSON document on disk, and
 * the bytes in a `BlockStorage`. Every service reads and changes the same records.
 */
export class LocalEc2State {
  readonly instances = new Map<string, InstanceRecord>();
  readonly volumes = new Map<string, VolumeRecord>();
  readonly snapshots = new Map<string, SnapshotRecord>();
  readonly images = new Map<string, ImageRecord>();
  readonly securityGroups = new Map<string, SecurityGroupRecord>();
  readonly subnets = new Map<string, SubnetRecord>();
  /** Client tokens by operation and token. */
  readonly tokens = new Map<string, TokenRecord>();
  /** One change of a volume's or a snapshot's bytes at a time. */
  readonly lock = new KeyedLock();
  readonly clock: Clock;
  readonly events: EventLog;
  readonly storage: BlockStorage;
  readonly timings: Timings;
  private readonly document: JsonDocument | undefined;
  private readonly maps = new Map<string, BlockMap>();

  private constructor(private readonly options: StateOptions) {
    this.clock = options.clock;
    this.events = options.events;
    this.storage = options.storage;
    this.timings = { ...DEFAULT_TIMINGS, ...options.timings };
    if (options.folder !== undefined)
      this.document = new JsonDocument(path.join(options.folder, 'ec2.json'), () => this.toDocument());
  }

  /** Opens what an earlier process left in the folder, or an account with one default network. */
  static async open(options: StateOptions): Promise<LocalEc2State> {
    const state = new LocalEc2State(options);
    const stored =
      options.folder === undefined
        ? undefined
        : await readJson<Document>(path.join(options.folder, 'ec2.json'));
    if (options.folder !== undefined) await mkdir(path.join(options.folder, 'blocks'), { recursive: true });
    if (stored) state.load(stored);
    else state.addDefaultNetwork();
    return state;
  }

  now(): Time {
    return this.clock.now().getTime();
  }

  /** Call after any change of a record. */
  changed(): void {
    this.document?.changed();
  }

  /** The block map of a snapshot, or of a volume as of its last snapshot. */
  async blockMap(owner: string): Promise<BlockMap> {
    let map = this.maps.get(owner);
    if (!map) {
      const file = this.blockMapFile(owner);
      const runs = file === undefined ? undefined : await readJson<BlockRuns>(file);
      map = BlockMap.fromRuns(runs ?? []);
      this.maps.set(owner, map);
    }
    return map;
  }

  async putBlockMap(owner: string, map: BlockMap): Promise<void> {
    this.maps.set(owner, map);
    const file = this.blockMapFile(owner);
    if (file !== undefined) await writeJsonAtomically(file, map.toRuns());
  }

  async removeBlockMap(owner: string): Promise<void> {
    this.maps.delete(owner);
    const file = this.blockMapFile(owner);
    if (file !== undefined) await rm(file, { force: true });
  }

  async flush(): Promise<void> {
    await this.document?.flush();
  }

  private blockMapFile(owner: string): string | undefined {
    return this.options.folder === undefined
      ? undefined
      : path.join(this.options.folder, 'blocks', `${owner}.json`);
  }

  private addDefaultNetwork(): void {
    this.subnets.set(DEFAULT_SUBNET_ID, {
      subnetId: DEFAULT_SUBNET_ID,
      vpcId: DEFAULT_VPC_ID,
      availabilityZone: DEFAULT_AVAILABILITY_ZONE,
      cidrBlock: '10.0.0.0/16',
      tags: {},
    });
    const [, second] = Object.keys(AVAILABILITY_ZONES);
    if (second !== undefined)
      this.subnets.set('subnet-0b0b0b0b0b0b0b0b0', {
        subnetId: 'subnet-0b0b0b0b0b0b0b0b0',
        vpcId: DEFAULT_VPC_ID,
        availabilityZone: second,
        cidrBlock: '10.1.0.0/16',
        tags: {},
      });
    this.securityGroups.set(DEFAULT_SECURITY_GROUP_ID, {
      groupId: DEFAULT_SECURITY_GROUP_ID,
      groupName: 'default',
      description: 'default VPC security group',
      vpcId: DEFAULT_VPC_ID,
      tags: {},
    });
    this.changed();
  }

  private load(stored: Document): void {
    for (const record of stored.instances) this.instances.set(record.instanceId, record);
    for (const record of stored.volumes) this.volumes.set(record.volumeId, record);
    for (const record of stored.snapshots) this.snapshots.set(record.snapshotId, record);
    for (const record of stored.images) this.images.set(record.imageId, record);
    for (const record of stored.securityGroups) this.securityGroups.set(record.groupId, record);
    for (const record of stored.subnets) this.subnets.set(record.subnetId, record);
    for (const [key, record] of stored.tokens) this.tokens.set(key, record);
    this.settle();
  }

  /**
   * The clock of this process may stand before the clock of the one that wrote the state (it may have run faster), so
   * whatever was under way is taken as done. An upload that had not been completed is lost with the process that took
   * its blocks.
   */
  private settle(): void {
    const now = this.now();
    const past = (time: Time): Time => Math.min(time, now);
    for (const volume of this.volumes.values()) {
      volume.availableAt = past(volume.availableAt);
      volume.lastSnapshotAt = undefined;
      if (volume.deletedAt !== undefined) volume.deletedAt = past(volume.deletedAt);
      if (volume.modification) {
        volume.modification.endTime = past(volume.modification.endTime);
        Object.assign(volume, volume.modification.target);
      }
      const { attachment } = volume;
      if (!attachment) continue;
      attachment.attachedAt = past(attachment.attachedAt);
      if (attachment.detachedAt !== undefined) volume.attachment = undefined;
    }
    for (const snapshot of this.snapshots.values()) {
      if (snapshot.completedAt === undefined) {
        snapshot.completedAt = now;
        snapshot.errorMessage = 'Snapshot timed out';
      }
      snapshot.completedAt = past(snapshot.completedAt);
      if (snapshot.readableAt !== undefined) snapshot.readableAt = past(snapshot.readableAt);
    }
    for (const instance of this.instances.values()) instance.shown = undefined;
    this.changed();
  }

  private toDocument(): Document {
    return {
      instances: [...this.instances.values()],
      volumes: [...this.volumes.values()],
      snapshots: [...this.snapshots.values()],
      images: [...this.images.values()],
      securityGroups: [...this.securityGroups.values()],
      subnets: [...this.subnets.values()],
      tokens: [...this.tokens],
    };
  }
}
