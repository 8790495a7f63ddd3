import { BLOCK_BYTES } from '../../../local/state';
import { startSnapshot, tokenOf, untilReadable, writtenSnapshot } from './blocks';
import { expectFields, type Case, type Cases } from './expectations';
import { A, C, describeSnapshot, pending, readable, failed, family, listedIndexes } from './snapshots';
import type { TestCloud } from './test-cloud';
import type { Bindings } from './vector';

const list = (input?: object): Case => ({
  given: readable,
  input: ({ S }, { when }) => ({ ...when.input, SnapshotId: S, ...input }),
});
/** A GetSnapshotBlock with a token of block 0 or of the vector. */
const get = (given: Case['given'] = readableWithToken): Case => ({
  given,
  input: ({ S, tok0 = '' }, { when }) => ({
    SnapshotId: S,
    BlockIndex: 0,
    ...when.input,
    BlockToken: String(when.input['BlockToken'] ?? tok0).replace('$tok0', tok0),
  }),
});

async function readableWithToken(cloud: TestCloud): Promise<Bindings> {
  const { S = '' } = await readable(cloud);
  return { S, tok0: await tokenOf(cloud, S, 0) };
}

/** Reads at the times a sequence names; the cloud's lag is set so that the last one succeeds. */
const lag = (seconds: number, refusedAt: number[], answeredAt: number): Case => ({
  async whole(cloud) {
    Object.assign(cloud.state.timings, { directReadLag: seconds * 1000 });
    const S = await startSnapshot(cloud);
    await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 0 });
    let now = 0;
    for (const at of [...refusedAt, answeredAt]) {
      await cloud.clock.advance((at - now) * 1000);
      now = at;
      expect(await describeSnapshot(cloud, S)).toMatchObject({ State: 'completed' });
      const { status } = await cloud.ebs('ListSnapshotBlocks', { SnapshotId: S });
      expect({ at, status }).toEqual({ at, status: at === answeredAt ? 200 : 404 });
    }
  },
});

/** A page token that does not continue the listing it is given to. */
const foreignPageToken = (
  name: string,
  operation: string,
  input: (ids: Bindings) => object,
  own: (ids: Bindings) => object,
): Case => ({
  async given(cloud) {
    const ids = await family(cloud);
    const other = await writtenSnapshot(cloud, { 0: A }, { ParentSnapshotId: ids['C'] });
    const bindings = { ...ids, B: other };
    const { NextToken } = await cloud.must('ebs', operation, { MaxResults: 100, ...input(bindings) });
    return { ...bindings, [name]: String(NextToken) };
  },
  input: (bindings) => ({ ...own(bindings), NextToken: bindings[name] }),
});

export const EBS_READING_CASES: Cases = {
  'ebs-001': {
    async whole(cloud) {
      const S = await startSnapshot(cloud);
      await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 0 });
      await untilReadable(cloud);
      const { headers, body } = await cloud.ebs('ListSnapshotBlocks', { SnapshotId: S });
      expect(headers['content-type']).toBe('application/json');
      expect(headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
      const members = Object.keys(JSON.parse(body) as object);
      expect(members).toEqual([...members].sort());
      expect(JSON.parse(body)).toHaveProperty('NextToken', null);
      expect(typeof (JSON.parse(body) as { ExpiryTime: unknown }).ExpiryTime).toBe('number');
    },
  },
  'ebs-002': {
    async whole(cloud) {
      const missing = await cloud.ebs('ListSnapshotBlocks', { SnapshotId: 'snap-0123456789abcdef0' });
      expect(missing.headers['x-amzn-errortype']).toBe(
        'ResourceNotFoundException:http://internal.amazon.com/coral/com.amazon.zeppelindataservice/',
      );
      expect(Object.keys(JSON.parse(missing.body) as object)).toEqual(['Message', 'Reason']);
      expect(missing.headers['connection']).toBeUndefined();
      const { S } = await readable(cloud);
      const refused = await cloud.ebs('ListSnapshotBlocks', { SnapshotId: S, NextToken: 'invalid' });
      expect(refused.headers['connection']).toBe('close');
    },
  },
  'ebs-003': {
    async whole(cloud) {
      const { headers, body, status } = await cloud.ebs('ListSnapshotBlocks', {
        SnapshotId: 'snap-0',
        MaxResults: 1,
      });
      expect(status).toBe(400);
      expect(headers).toMatchObject({
        connection: 'close',
        'x-amzn-errortype': 'ValidationException:http://internal.amazon.com/coral/com.amazon.coral.validate/',
      });
      expect(Object.keys(JSON.parse(body) as object)).toEqual(['message']);
    },
  },
  'ebs-004': list({}),
  'ebs-028': { given: pending },
  'ebs-029': { given: pending },
  'ebs-070': lag(45, [9, 19, 30, 40], 51),
  'ebs-071': lag(45, [43], 53),
  'ebs-072': lag(60, [53], 63),
  'ebs-074': lag(4, [], 6),
  'ebs-077': { given: failed },
  'ebs-079': {
    ...list(),
    check({ output }, cloud) {
      const life = ((output['ExpiryTime'] as Date).getTime() - cloud.clock.now().getTime()) / 1000;
      expect(life).toBeGreaterThanOrEqual(562_560);
      expect(life).toBeLessThanOrEqual(620_400);
    },
  },
  'ebs-081': list(),
  'ebs-082': list(),
  'ebs-084': list(),
  'ebs-086': {
    ...list(),
    check: ({ output }) =>
      expect((output['Blocks'] as { BlockIndex: number }[]).map(({ BlockIndex }) => BlockIndex)).toEqual([
        2047,
      ]),
  },
  'ebs-087': {
    ...list(),
    check({ body, output }, cloud) {
      expect(JSON.parse(body)).toMatchObject({ Blocks: [], NextToken: null });
      expect(output['ExpiryTime']).toEqual(cloud.clock.now());
    },
  },
  'ebs-088': list(),
  'ebs-089': list(),
  'ebs-090': {
    async whole(cloud) {
      const { C: child } = await family(cloud);
      const first = await cloud.must('ebs', 'ListSnapshotBlocks', { SnapshotId: child, MaxResults: 100 });
      expect(first['Blocks']).toHaveLength(100);
      const second = await cloud.ebs('ListSnapshotBlocks', {
        SnapshotId: child,
        MaxResults: 100,
        NextToken: first['NextToken'],
      });
      expect(
        (second.output['Blocks'] as { BlockIndex: number }[]).map(({ BlockIndex }) => BlockIndex),
      ).toEqual([100, 1000, 2047]);
      expect(JSON.parse(second.body)).toHaveProperty('NextToken', null);
    },
  },
  'ebs-091': {
    async whole(cloud) {
      const { C: child } = await family(cloud);
      const { NextToken } = await cloud.must('ebs', 'ListSnapshotBlocks', {
        SnapshotId: child,
        MaxResults: 100,
      });
      expect(await listedIndexes(cloud, { SnapshotId: child, NextToken, StartingBlockIndex: 2047 })).toEqual([
        100, 1000, 2047,
      ]);
    },
  },
  'ebs-092': foreignPageToken(
    'tokA',
    'ListSnapshotBlocks',
    ({ C: SnapshotId }) => ({ SnapshotId }),
    ({ B: SnapshotId }) => ({ SnapshotId }),
  ),
  'ebs-093': foreignPageToken(
    'chg',
    'ListChangedBlocks',
    ({ R, C: second }) => ({ FirstSnapshotId: R, SecondSnapshotId: second }),
    ({ C: SnapshotId }) => ({ SnapshotId }),
  ),
  'ebs-096': get(),
  'ebs-097': get(),
  'ebs-098': get(),
  'ebs-099': get(),
  'ebs-100': get(),
  'ebs-101': get(),
  'ebs-102': {
    async given(cloud) {
      const { R = '', C: child = '' } = await family(cloud);
      return { child, parentTok: await tokenOf(cloud, R, 2047) };
    },
  },
  'ebs-103': {
    async given(cloud) {
      const { C: child = '' } = await family(cloud);
      const { NextToken } = await cloud.must('ebs', 'ListSnapshotBlocks', {
        SnapshotId: child,
        MaxResults: 100,
      });
      return { S: child, page: String(NextToken) };
    },
    input: ({ S, page }) => ({ SnapshotId: S, BlockIndex: 0, BlockToken: page }),
  },
  'ebs-104': {
    async given(cloud) {
      const { C: child = '' } = await family(cloud);
      return { child, token: await tokenOf(cloud, child, 2047) };
    },
    input: ({ child, token }) => ({ SnapshotId: child, BlockIndex: 2047, BlockToken: token }),
    async check({ output }) {
      const body = output['BlockData'] as { transformToByteArray(): Promise<Uint8Array> };
      expect(C.equals(await body.transformToByteArray())).toBe(true);
    },
  },
  'ebs-105': { given: readable },
  'ebs-106': {
    given: family,
    input: ({ R, C: child }) => ({ FirstSnapshotId: R, SecondSnapshotId: child, MaxResults: 1000 }),
    check({ body }) {
      const { ChangedBlocks, ExpiryTime, ...rest } = JSON.parse(body) as {
        ChangedBlocks: {
          BlockIndex: number;
          FirstBlockToken: string | null;
          SecondBlockToken: string | null;
        }[];
        ExpiryTime: unknown;
      };
      expect(typeof ExpiryTime).toBe('number');
      expect(rest).toEqual({
        BlockSize: BLOCK_BYTES,
        LastEvaluatedBlockIndex: null,
        NextToken: null,
        VolumeSize: 1,
      });
      expect(ChangedBlocks.map(({ BlockIndex }) => BlockIndex)).toEqual([...Array(101).keys(), 1000]);
      for (const { BlockIndex, FirstBlockToken, SecondBlockToken } of ChangedBlocks) {
        expect(SecondBlockToken).not.toBeNull();
        expect(FirstBlockToken === null).toBe(BlockIndex !== 0 && BlockIndex !== 1000);
      }
    },
  },
  'ebs-108': {
    async whole(cloud) {
      const { S } = await readable(cloud);
      const pair = { FirstSnapshotId: S, SecondSnapshotId: S };
      const first = await cloud.ebs('ListChangedBlocks', pair);
      expect(first.output).toMatchObject({
        ChangedBlocks: [],
        ExpiryTime: cloud.clock.now(),
        NextToken: expect.any(String) as string,
      });
      const second = await cloud.ebs('ListChangedBlocks', { ...pair, NextToken: first.output['NextToken'] });
      expect(second.body).toBe(
        '{"BlockSize":null,"ChangedBlocks":[],"ExpiryTime":null,"LastEvaluatedBlockIndex":null,"NextToken":null,"VolumeSize":null}',
      );
    },
  },
  'ebs-110': foreignPageToken(
    'tok',
    'ListChangedBlocks',
    ({ R, C: second }) => ({ FirstSnapshotId: R, SecondSnapshotId: second }),
    ({ C: first, B: second }) => ({ FirstSnapshotId: first, SecondSnapshotId: second }),
  ),
  'ebs-111': foreignPageToken(
    'lst',
    'ListSnapshotBlocks',
    ({ C: SnapshotId }) => ({ SnapshotId }),
    ({ R, C: second }) => ({ FirstSnapshotId: R, SecondSnapshotId: second }),
  ),
  'ebs-112': {
    async whole(cloud) {
      const { R, C: child } = await family(cloud);
      const pair = { FirstSnapshotId: R, SecondSnapshotId: child };
      const { NextToken } = await cloud.must('ebs', 'ListChangedBlocks', { ...pair, MaxResults: 100 });
      const { ChangedBlocks } = await cloud.must('ebs', 'ListChangedBlocks', {
        ...pair,
        NextToken,
        StartingBlockIndex: 0,
      });
      expect((ChangedBlocks as { BlockIndex: number }[]).map(({ BlockIndex }) => BlockIndex)).toEqual([
        100, 1000,
      ]);
    },
  },
  'ebs-113': {
    async whole(cloud) {
      const { R = '', C: child = '' } = await family(cloud);
      const grandchild = await writtenSnapshot(cloud, { 5: A }, { ParentSnapshotId: child });
      const token = await tokenOf(cloud, child, 2047);
      await cloud.must('ec2', 'DeleteSnapshot', { SnapshotId: R });
      expect(await listedIndexes(cloud, { SnapshotId: child, StartingBlockIndex: 1000 })).toEqual([
        1000, 2047,
      ]);
      await cloud.must('ebs', 'GetSnapshotBlock', { SnapshotId: child, BlockIndex: 2047, BlockToken: token });
      const changed = await cloud.must('ebs', 'ListChangedBlocks', {
        FirstSnapshotId: child,
        SecondSnapshotId: grandchild,
      });
      expect(
        (changed['ChangedBlocks'] as { BlockIndex: number }[]).map(({ BlockIndex }) => BlockIndex),
      ).toEqual([5]);
    },
  },
  'ebs-115': {
    async whole(cloud) {
      const ids = [await startSnapshot(cloud), (await failed(cloud))['S'], (await readable(cloud))['S']];
      for (const SnapshotId of ids)
        expect((await cloud.ec2('DeleteSnapshot', { SnapshotId })).body).toContain('<return>true</return>');
    },
  },
  'ebs-116': {
    async given(cloud) {
      const { S = '' } = await readable(cloud);
      await cloud.must('ec2', 'DeleteSnapshot', { SnapshotId: S });
      return { S };
    },
    check: ({ body }) =>
      expect(body).toMatch(/<Response><Errors><Error><Code>InvalidSnapshot\.NotFound<\/Code>/),
  },
  'ebs-117': {
    async given(cloud) {
      const S = await writtenSnapshot(cloud, {}, { Description: 'prefix-one' });
      await writtenSnapshot(cloud, {}, { Description: 'other' });
      const filter = { Filters: [{ Name: 'description', Values: ['prefix-*'] }] };
      expect((await cloud.must('ec2', 'DescribeSnapshots', filter))['Snapshots']).toHaveLength(1);
      await cloud.must('ec2', 'DeleteSnapshot', { SnapshotId: S });
      return { prefix: 'prefix', account: '000000000000' };
    },
    check: ({ output }) => expect(output['Snapshots'] ?? []).toEqual([]),
  },
  'ebs-124': {
    async whole(cloud, vector) {
      expectFields(
        {
          ...(await cloud.must('ec2', 'GetEbsEncryptionByDefault')),
          ...(await cloud.must('ec2', 'GetEbsDefaultKmsKeyId')),
        },
        vector,
        {},
      );
    },
  },
};
