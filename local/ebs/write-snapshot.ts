import { createHash } from 'node:crypto';
import type {
  CompleteSnapshotCommandInput,
  PutSnapshotBlockCommandInput,
  StartSnapshotCommandInput,
  StartSnapshotCommandOutput,
} from '@aws-sdk/client-ebs';
import { checkedTags } from '../ec2/tag-sets';
import { snapshotState } from '../ec2/snapshot-view';
import { ACCOUNT_ID, DEFAULT_EBS_KEY_ARN } from '../state/account';
import { BLOCK_BYTES, BYTES_PER_GIB } from '../state/block-storage';
import { newId } from '../state/ids';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { SnapshotRecord, UploadRecord } from '../state/resources';
import { startUpload } from '../state/snapshot-bytes';
import { CHECKSUM, checkConstraints, INDEX, SNAPSHOT_ID } from './constraints';
import { digestMismatch, invalid, snapshotNotFound, tokenConflict } from './ebs-errors';
import { findParent, findSnapshot } from './readable-snapshot';

const DEFAULT_TIMEOUT_MINUTES = 60;

type StartAnswer = Omit<StartSnapshotCommandOutput, '$metadata'>;

export function startSnapshotHandler(state: LocalEc2State) {
  return async (input: StartSnapshotCommandInput): Promise<StartAnswer> => {
    checkConstraints(
      { ...input },
      {
        VolumeSize: { required: true, min: 1, max: 65_536 },
        ClientToken: { pattern: /^[\S]+$/ },
        Timeout: { min: 10, max: 4320 },
        ParentSnapshotId: { pattern: SNAPSHOT_ID.pattern },
        Description: { pattern: /^[\S\s]{0,255}$/ },
        KmsKeyArn: { pattern: /arn:aws[a-z\-]*:kms:.*:[0-9]{12}:key\/.*/ },
      },
    );
    const { ClientToken, ...parameters } = input;
    // One call at a time by token, so that two at once make one snapshot.
    const make = async () => replay(state, ClientToken, parameters) ?? (await start(state, input));
    return ClientToken === undefined
      ? start(state, input)
      : state.lock.run(`StartSnapshot:${ClientToken}`, make);
  };
}

/** The stored first answer: its status stays `pending` whatever became of the snapshot. */
function replay(
  state: LocalEc2State,
  token: string | undefined,
  parameters: object,
): StartAnswer | undefined {
  const known = state.tokens.get(`StartSnapshot:${token}`);
  if (!known) return undefined;
  if (known.parameters !== JSON.stringify(parameters)) throw tokenConflict();
  const snapshot = state.snapshots.get(known.resourceId);
  if (!snapshot) throw snapshotNotFound(known.resourceId);
  return answerOf(snapshot);
}

async function start(state: LocalEc2State, input: StartSnapshotCommandInput): Promise<StartAnswer> {
  const { ParentSnapshotId, VolumeSize = 0, ClientToken, ...rest } = input;
  if (ParentSnapshotId !== undefined && (rest.Encrypted !== undefined || rest.KmsKeyArn !== undefined))
    throw invalid(
      'INVALID_PARAMETER_VALUE',
      'Encryption parameters may not be specified together with a parent snapshot.',
    );
  const parent = ParentSnapshotId === undefined ? undefined : findParent(state, ParentSnapshotId);
  if (parent && VolumeSize < parent.sizeGiB)
    throw invalid(
      'INVALID_VOLUME_SIZE',
      `Volume size ${VolumeSize} is smaller than the parent's, ${parent.sizeGiB}`,
    );
  const now = state.now();
  const encrypted = parent?.encrypted ?? (rest.Encrypted || rest.KmsKeyArn !== undefined);
  const snapshot: SnapshotRecord = {
    snapshotId: newId('snap'),
    volumeId: 'vol-ffffffff',
    sizeGiB: VolumeSize,
    description: rest.Description ?? '',
    startTime: now,
    encrypted: encrypted ?? false,
    kmsKeyId: encrypted ? (rest.KmsKeyArn ?? parent?.kmsKeyId ?? DEFAULT_EBS_KEY_ARN) : undefined,
    lineage: parent?.lineage ?? newId('lineage'),
    tags: checkedTags(rest.Tags ?? []),
    upload: {
      parentSnapshotId: ParentSnapshotId,
      timeoutMinutes: rest.Timeout ?? DEFAULT_TIMEOUT_MINUTES,
      lastPutAt: now,
      digests: {},
    },
  };
  await startUpload(state, snapshot, ParentSnapshotId);
  state.snapshots.set(snapshot.snapshotId, snapshot);
  if (ClientToken !== undefined) {
    const { ClientToken: _token, ...parameters } = input;
    state.tokens.set(`StartSnapshot:${ClientToken}`, {
      parameters: JSON.stringify(parameters),
      resourceId: snapshot.snapshotId,
    });
  }
  state.changed();
  return answerOf(snapshot);
}

const answerOf = (snapshot: SnapshotRecord): StartAnswer => ({
  SnapshotId: snapshot.snapshotId,
  ParentSnapshotId: snapshot.upload?.parentSnapshotId,
  Status: 'pending',
  OwnerId: ACCOUNT_ID,
  StartTime: new Date(snapshot.startTime),
  VolumeSize: snapshot.sizeGiB,
  BlockSize: BLOCK_BYTES,
  Description: snapshot.description,
  KmsKeyArn: snapshot.kmsKeyId,
  Tags: Object.entries(snapshot.tags).map(([Key, Value]) => ({ Key, Value })),
});

export function putSnapshotBlockHandler(state: LocalEc2State) {
  return async (input: Omit<PutSnapshotBlockCommandInput, 'BlockData'> & { BlockData?: Buffer }) => {
    checkConstraints(
      { ...input },
      {
        SnapshotId: SNAPSHOT_ID,
        BlockIndex: { ...INDEX, required: true },
        DataLength: { required: true, min: 0 },
        Progress: { min: 0, max: 100 },
        Checksum: { ...CHECKSUM, required: true },
        ChecksumAlgorithm: { required: true },
      },
    );
    const { SnapshotId = '', BlockIndex = 0, BlockData = Buffer.alloc(0), Checksum = '' } = input;
    const { snapshot, upload } = openUpload(state, SnapshotId);
    if (input.ChecksumAlgorithm !== 'SHA256')
      throw invalid(
        'INVALID_PARAMETER_VALUE',
        `Unsupported Checksum Algorithm '${input.ChecksumAlgorithm}', supported algorithms are SHA256`,
      );
    if (BlockData.length !== BLOCK_BYTES)
      throw invalid('INVALID_PARAMETER_VALUE', 'Failed to read block data');
    if (input.DataLength !== BLOCK_BYTES)
      throw invalid(
        'INVALID_BLOCK',
        `Block data length ${input.DataLength} is not valid, expected ${BLOCK_BYTES}`,
      );
    if (BlockIndex * BLOCK_BYTES >= snapshot.sizeGiB * BYTES_PER_GIB)
      throw invalid(
        'INVALID_BLOCK',
        `Block index ${BlockIndex} is not valid for a volume of ${snapshot.sizeGiB} GiB`,
      );
    const computed = createHash('sha256').update(BlockData).digest('base64');
    if (computed !== Checksum) throw digestMismatch(computed, Checksum);
    await state.storage.writeBlock(SnapshotId, BlockIndex, BlockData);
    upload.digests[BlockIndex] = computed;
    upload.lastPutAt = state.now();
    return { Checksum: computed, ChecksumAlgorithm: 'SHA256' as const };
  };
}

function openUpload(
  state: LocalEc2State,
  snapshotId: string,
): { snapshot: SnapshotRecord; upload: UploadRecord } {
  const snapshot = findSnapshot(state, snapshotId);
  if (snapshotState(snapshot, state.now()) === 'error') throw snapshotNotFound(snapshotId);
  const { upload } = snapshot;
  if (!upload || snapshot.completedAt !== undefined)
    throw invalid('INVALID_SNAPSHOT_ID', 'Snapshot is already completed');
  return { snapshot, upload };
}

export function completeSnapshotHandler(state: LocalEc2State) {
  return async (
    input: CompleteSnapshotCommandInput,
  ): Promise<{ Status: 'pending' | 'completed' | 'error' }> => {
    checkConstraints(
      { ...input },
      {
        SnapshotId: SNAPSHOT_ID,
        ChangedBlocksCount: { required: true, min: 0 },
        Checksum: CHECKSUM,
        ChecksumAlgorithm: { values: ['SHA256'] },
        ChecksumAggregationMethod: { values: ['LINEAR'] },
      },
    );
    if (input.Checksum !== undefined && input.ChecksumAlgorithm === undefined)
      throw invalid(
        'INVALID_PARAMETER_VALUE',
        'Invalid parameter combination. Checksum algorithm is missing.',
      );
    const { SnapshotId = '' } = input;
    const snapshot = findSnapshot(state, SnapshotId);
    const now = state.now();
    if (snapshot.completedAt !== undefined || !snapshot.upload) {
      // Nothing is checked any more. One that was accepted and will fail has not failed yet.
      const current = snapshotState(snapshot, now);
      return {
        Status:
          current === 'pending' && snapshot.errorMessage === undefined ? 'completed' : (current as 'pending'),
      };
    }
    const { digests } = snapshot.upload;
    snapshot.errorMessage = mistakeIn(input, digests);
    snapshot.completedAt = now + state.timings.writtenSnapshotPending;
    snapshot.readableAt = snapshot.completedAt + state.timings.directReadLag;
    const map = await state.blockMap(SnapshotId);
    for (const index of Object.keys(digests)) map.set(Number(index), SnapshotId);
    snapshot.fullSizeBytes = map.size * BLOCK_BYTES;
    // Of no use any more, and much to keep.
    snapshot.upload.digests = {};
    await state.putBlockMap(SnapshotId, map);
    state.changed();
    return { Status: 'pending' };
  };
}

/** What will make the snapshot end in state `error`: the call itself is accepted. */
function mistakeIn(
  { ChangedBlocksCount, Checksum }: CompleteSnapshotCommandInput,
  digests: Readonly<Record<number, string>>,
): string | undefined {
  if (Object.keys(digests).length !== ChangedBlocksCount) return 'Changed blocks count mismatch for snapshot';
  if (Checksum !== undefined && Checksum !== linearChecksum(digests)) return 'Checksum mismatch for snapshot';
  return undefined;
}

/** The LINEAR aggregate: SHA-256 over the raw digests in the order of their indexes. */
export function linearChecksum(digests: Readonly<Record<number, string>>): string {
  const hash = createHash('sha256');
  for (const index of Object.keys(digests)
    .map(Number)
    .sort((a, b) => a - b))
    hash.update(Buffer.from(digests[index] ?? '', 'base64'));
  return hash.digest('base64');
}
