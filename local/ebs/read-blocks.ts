import { createHash } from 'node:crypto';
import type {
  GetSnapshotBlockCommandInput,
  ListChangedBlocksCommandInput,
  ListChangedBlocksCommandOutput,
  ListSnapshotBlocksCommandInput,
  ListSnapshotBlocksCommandOutput,
} from '@aws-sdk/client-ebs';
import { BLOCK_BYTES } from '../state/block-storage';
import type { LocalEc2State } from '../state/local-ec2-state';
import { checkConstraints, INDEX, PAGE_SIZE, SNAPSHOT_ID, TOKEN } from './constraints';
import { invalid, invalidBlockToken } from './ebs-errors';
import { findReadable } from './readable-snapshot';
import { blockToken, pageStart, pageToken, type Listing } from './tokens';

/** How long a listing's block tokens live: somewhat less than seven days. */
const TOKEN_LIFE_MS = 585_000_000;
const DEFAULT_PAGE_SIZE = 100;

type Output<T> = Omit<T, '$metadata'>;

export function listSnapshotBlocksHandler(state: LocalEc2State) {
  return async (input: ListSnapshotBlocksCommandInput): Promise<Output<ListSnapshotBlocksCommandOutput>> => {
    checkConstraints(
      { ...input },
      { SnapshotId: SNAPSHOT_ID, NextToken: TOKEN, MaxResults: PAGE_SIZE, StartingBlockIndex: INDEX },
    );
    const { SnapshotId = '' } = input;
    const snapshot = findReadable(state, SnapshotId);
    const indexes = (await state.blockMap(SnapshotId)).indexes();
    const { page, NextToken } = cut(indexes, ['list', SnapshotId], input);
    return {
      Blocks: page.map((BlockIndex) => ({ BlockIndex, BlockToken: blockToken(SnapshotId, BlockIndex) })),
      BlockSize: BLOCK_BYTES,
      ExpiryTime: expiry(state, page.length),
      NextToken,
      VolumeSize: snapshot.sizeGiB,
    };
  };
}

export function listChangedBlocksHandler(state: LocalEc2State) {
  return async (input: ListChangedBlocksCommandInput): Promise<Output<ListChangedBlocksCommandOutput>> => {
    checkConstraints(
      { ...input },
      {
        FirstSnapshotId: { pattern: SNAPSHOT_ID.pattern },
        SecondSnapshotId: SNAPSHOT_ID,
        NextToken: TOKEN,
        MaxResults: PAGE_SIZE,
        StartingBlockIndex: INDEX,
      },
    );
    const { FirstSnapshotId: firstId, SecondSnapshotId: secondId = '' } = input;
    if (firstId === undefined)
      throw invalid('INVALID_SNAPSHOT_ID', 'First snapshot should not be empty or null');
    const first = findReadable(state, firstId);
    const second = findReadable(state, secondId);
    if (first.lineage !== second.lineage)
      throw invalid('UNRELATED_SNAPSHOTS', `${firstId} and ${secondId} are not related`);
    const [before, after] = [await state.blockMap(firstId), await state.blockMap(secondId)];
    const changed = before.differences(after);
    const listing: Listing = ['changed', firstId, secondId];
    if (changed.length === 0) return nothingChanged(state, listing, input, second.sizeGiB);
    const { page, NextToken } = cut(changed, listing, input);
    return {
      ChangedBlocks: page.map((BlockIndex) => ({
        BlockIndex,
        FirstBlockToken: before.has(BlockIndex) ? blockToken(firstId, BlockIndex) : undefined,
        SecondBlockToken: after.has(BlockIndex) ? blockToken(secondId, BlockIndex) : undefined,
      })),
      BlockSize: BLOCK_BYTES,
      ExpiryTime: expiry(state, page.length),
      NextToken,
      VolumeSize: second.sizeGiB,
    };
  };
}

/** No change is told in two pages: an empty one with a token, then one that holds nothing at all. */
function nothingChanged(
  state: LocalEc2State,
  listing: Listing,
  { NextToken }: ListChangedBlocksCommandInput,
  sizeGiB: number,
): Output<ListChangedBlocksCommandOutput> {
  if (NextToken !== undefined) {
    pageStart(listing, NextToken);
    return { ChangedBlocks: [] };
  }
  return {
    ChangedBlocks: [],
    BlockSize: BLOCK_BYTES,
    ExpiryTime: expiry(state, 0),
    NextToken: pageToken(listing, 0),
    VolumeSize: sizeGiB,
  };
}

function cut(
  indexes: readonly number[],
  listing: Listing,
  input: { NextToken?: string; MaxResults?: number; StartingBlockIndex?: number },
): { page: number[]; NextToken?: string } {
  const from =
    input.NextToken === undefined ? (input.StartingBlockIndex ?? 0) : pageStart(listing, input.NextToken);
  const rest = indexes.filter((index) => index >= from);
  const page = rest.slice(0, input.MaxResults ?? DEFAULT_PAGE_SIZE);
  const next = rest[page.length];
  return { page, NextToken: next === undefined ? undefined : pageToken(listing, next) };
}

/** A page without tokens expires at once. */
const expiry = (state: LocalEc2State, tokens: number): Date =>
  new Date(state.now() + (tokens === 0 ? 0 : TOKEN_LIFE_MS));

export function getSnapshotBlockHandler(state: LocalEc2State) {
  return async (input: GetSnapshotBlockCommandInput) => {
    checkConstraints(
      { ...input },
      {
        SnapshotId: SNAPSHOT_ID,
        BlockIndex: { ...INDEX, required: true },
        BlockToken: { ...TOKEN, required: true },
      },
    );
    const { SnapshotId = '', BlockIndex = 0, BlockToken = '' } = input;
    findReadable(state, SnapshotId);
    const map = await state.blockMap(SnapshotId);
    if (BlockToken !== blockToken(SnapshotId, BlockIndex) || !map.has(BlockIndex))
      throw invalidBlockToken(BlockToken);
    const BlockData = await state.storage.readBlock(SnapshotId, BlockIndex);
    return {
      DataLength: BlockData.length,
      BlockData,
      Checksum: createHash('sha256').update(BlockData).digest('base64'),
      ChecksumAlgorithm: 'SHA256' as const,
    };
  };
}
