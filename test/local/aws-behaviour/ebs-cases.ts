import { BLOCK_BYTES } from '../../../local/state';
import {
  digest,
  linear,
  payload,
  putInput,
  startSnapshot,
  tokenOf,
  untilReadable,
  writtenSnapshot,
  ZEROS,
} from './blocks';
import { expectAnswer, expectFields, type Case, type Cases } from './expectations';
import type { TestCloud } from './test-cloud';
import type { Bindings, Vector } from './vector';

const KEY = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-4333-8444-555555555555';
const [A, B, C] = [payload('a'), payload('b'), payload('c')];

const describeSnapshot = async (cloud: TestCloud, id: string): Promise<Record<string, unknown>> => {
  const { Snapshots } = await cloud.must('ec2', 'DescribeSnapshots', { SnapshotIds: [id] });
  return (Snapshots as Record<string, unknown>[])[0] ?? {};
};

const pending = async (cloud: TestCloud): Promise<Bindings> => ({ S: await startSnapshot(cloud) });
const readable = async (cloud: TestCloud): Promise<Bindings> => ({
  S: await writtenSnapshot(cloud, { 0: B, 3: A, 7: ZEROS, 2047: C }),
});
const failed = async (cloud: TestCloud): Promise<Bindings> => {
  const S = await startSnapshot(cloud);
  await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 9 });
  await untilReadable(cloud);
  return { S };
};

/** Parent and child as in the captures: own blocks 0..100 and 1000, 1000 with the parent's bytes, 2047 inherited. */
async function family(cloud: TestCloud): Promise<Bindings> {
  const R = await writtenSnapshot(cloud, { 0: A, 1000: B, 2047: C });
  const own: Record<number, Buffer> = { 1000: B };
  for (let index = 0; index <= 100; index += 1) own[index] = B;
  return { R, C: await writtenSnapshot(cloud, own, { ParentSnapshotId: R }) };
}

/** A member of the vector's input over an otherwise good PutSnapshotBlock. */
const put = (change?: object): Case => ({
  given: pending,
  input: ({ S = '' }, { when }) => ({ ...putInput(S, 0, A), ...(change ?? when.input) }),
});
const list = (input?: object): Case => ({
  given: readable,
  input: ({ S }, { when }) => ({ ...when.input, SnapshotId: S, ...input }),
});
const complete = (input: object = {}): Case => ({
  given: pending,
  input: ({ S }, { when }) => ({ ChangedBlocksCount: 0, ...when.input, SnapshotId: S, ...input }),
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

async function listedIndexes(cloud: TestCloud, input: object): Promise<number[]> {
  const { Blocks } = await cloud.must('ebs', 'ListSnapshotBlocks', input);
  return (Blocks as { BlockIndex: number }[]).map(({ BlockIndex }) => BlockIndex);
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

export const EBS_CASES: Cases = {
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
  'ebs-006': {
    input: () => ({
      VolumeSize: 1,
      Description: 'd',
      Timeout: 10,
      Encrypted: false,
      Tags: [{ Key: 'suite', Value: 't' }],
    }),
    check({ body }) {
      const { SnapshotId, StartTime, ...rest } = JSON.parse(body) as Record<string, unknown>;
      expect(SnapshotId).toMatch(/^snap-[0-9a-f]{17}$/);
      expect(typeof StartTime).toBe('number');
      expect(rest).toEqual({
        BlockSize: BLOCK_BYTES,
        Description: 'd',
        KmsKeyArn: null,
        OwnerId: '000000000000',
        ParentSnapshotId: null,
        SseType: null,
        Status: 'pending',
        Tags: [{ Key: 'suite', Value: 't' }],
        VolumeSize: 1,
      });
    },
  },
  'ebs-007': replay(async () => undefined),
  'ebs-008': {
    async given(cloud) {
      return { T: 'token', S: await startSnapshot(cloud, { ClientToken: 'token' }) };
    },
    input: () => ({ VolumeSize: 1, ClientToken: 'token', Description: 'a different one' }),
  },
  'ebs-009': replay(async (cloud, S) => {
    await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 0 });
    await untilReadable(cloud);
    expect(await describeSnapshot(cloud, S)).toMatchObject({ State: 'completed' });
  }),
  'ebs-010': { given: async (cloud) => ({ P: await startSnapshot(cloud) }) },
  'ebs-017': {},
  'ebs-018': {
    async check(_answer, cloud) {
      for (const Timeout of [10, 60]) await cloud.must('ebs', 'StartSnapshot', { VolumeSize: 1, Timeout });
    },
  },
  'ebs-019': { check: ({ body }) => expect(JSON.parse(body)).toHaveProperty('KmsKeyArn', null) },
  'ebs-020': {
    check: ({ body }) =>
      expect((JSON.parse(body) as { KmsKeyArn: string }).KmsKeyArn).toMatch(
        /^arn:aws:kms:us-east-1:\d{12}:key\/[0-9a-f-]{36}$/,
      ),
  },
  'ebs-021': { given: () => ({ K: KEY }), fields: true },
  'ebs-022': { given: () => ({ K: KEY }), fields: true },
  'ebs-026': {
    async given(cloud) {
      const S = await startSnapshot(cloud);
      await cloud.must('ebs', 'PutSnapshotBlock', { ...putInput(S, 0, A), Progress: 99 });
      return { S };
    },
    fields: true,
  },
  'ebs-027': {
    async given(cloud) {
      const S = await startSnapshot(cloud);
      await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 0 });
      await cloud.clock.advance(300);
      return { S };
    },
    fields: true,
  },
  'ebs-028': { given: pending },
  'ebs-029': { given: pending },
  'ebs-031': {
    given: async (cloud) => ({ S: await startSnapshot(cloud, { KmsKeyArn: KEY }) }),
    check: async (_answer, cloud, { S = '' }) =>
      expect(await describeSnapshot(cloud, S)).toMatchObject({ Encrypted: true, KmsKeyId: KEY }),
  },
  'ebs-032': {
    ...put({}),
    check: ({ headers }) =>
      expect(headers).toMatchObject({ 'x-amz-checksum': digest(A), 'x-amz-checksum-algorithm': 'SHA256' }),
  },
  'ebs-033': rewrite(A, A),
  'ebs-034': rewrite(A, B),
  'ebs-035': {
    ...put({ BlockData: ZEROS, Checksum: digest(ZEROS) }),
    async check(_answer, cloud, { S = '' }) {
      await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 1 });
      await untilReadable(cloud);
      expect(await listedIndexes(cloud, { SnapshotId: S })).toEqual([0]);
      expect(await describeSnapshot(cloud, S)).toMatchObject({ FullSnapshotSizeInBytes: BLOCK_BYTES });
    },
  },
  'ebs-036': put(),
  'ebs-038': put(),
  'ebs-039': put(),
  'ebs-041': put(),
  'ebs-042': {
    given: async (cloud) => ({ S: await startSnapshot(cloud), given: digest(B), computed: digest(A) }),
    input: ({ S = '' }) => ({ ...putInput(S, 0, A), Checksum: digest(B) }),
  },
  'ebs-043': put({ DataLength: 5, BlockData: Buffer.from('12345') }),
  'ebs-045': put({ DataLength: 1 }),
  'ebs-046': put(),
  'ebs-047': {
    async given(cloud) {
      const S = await startSnapshot(cloud);
      await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 0 });
      return { S };
    },
    input: ({ S = '' }) => putInput(S, 1, A),
  },
  'ebs-048': { given: failed, input: ({ S = '' }) => putInput(S, 0, A) },
  'ebs-050': {
    given: async (cloud) => ({ S: await startSnapshot(cloud, { Encrypted: true }) }),
    input: ({ S = '' }) => putInput(S, 0, A),
  },
  'ebs-051': {
    async given(cloud) {
      const S = await startSnapshot(cloud);
      const puts: [number, Buffer][] = [
        [0, A],
        [0, A],
        [0, B],
        [3, A],
        [7, ZEROS],
        [2047, C],
      ];
      for (const [index, block] of puts)
        await cloud.must('ebs', 'PutSnapshotBlock', putInput(S, index, block));
      return { S };
    },
    input: ({ S }, { when }) => ({ ...when.input, SnapshotId: S }),
    async check(_answer, cloud, { S = '' }) {
      await untilReadable(cloud);
      expect(await describeSnapshot(cloud, S)).toMatchObject({ State: 'completed' });
    },
  },
  'ebs-052': {
    async whole(cloud, { then }) {
      const known: Record<string, Buffer[]> = {
        '[a]': [A],
        '[zero,a,b]': [ZEROS, A, B],
        '[c]': [C],
        '[a,b,c]': [A, B, C],
        '[]': [],
      };
      for (const [name, blocks] of Object.entries(known)) {
        const S = await startSnapshot(cloud);
        for (const [index, block] of blocks.entries())
          await cloud.must('ebs', 'PutSnapshotBlock', putInput(S, index * 3, block));
        await cloud.must('ebs', 'CompleteSnapshot', {
          SnapshotId: S,
          ChangedBlocksCount: blocks.length,
          Checksum: then.fields?.[name],
          ChecksumAlgorithm: 'SHA256',
          ChecksumAggregationMethod: 'LINEAR',
        });
        await untilReadable(cloud);
        expect({ name, ...(await describeSnapshot(cloud, S)) }).toMatchObject({ name, State: 'completed' });
      }
    },
  },
  'ebs-053': {
    async given(cloud) {
      const S = await startSnapshot(cloud);
      await cloud.must('ebs', 'PutSnapshotBlock', putInput(S, 0, A));
      await cloud.must('ebs', 'PutSnapshotBlock', putInput(S, 1, B));
      return { S };
    },
    input: ({ S }, { when }) => ({
      SnapshotId: S,
      ...when.input,
      ChangedBlocksCount: 2,
      Checksum: String(when.input['Checksum']).split(' ')[0],
    }),
    check: (_answer, cloud, { S = '' }) => expectChecksumError(cloud, S),
  },
  'ebs-055': {
    async whole(cloud) {
      const S = await startSnapshot(cloud);
      const wrong = { Checksum: linear(A), ChecksumAlgorithm: 'SHA256', ChecksumAggregationMethod: 'LINEAR' };
      await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 0, ...wrong });
      await expectChecksumError(cloud, S);
    },
  },
  'ebs-056': {
    async given(cloud) {
      const S = await startSnapshot(cloud);
      await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 0 });
      return { S };
    },
    input: ({ S }) => ({ SnapshotId: S, ChangedBlocksCount: 5 }),
  },
  'ebs-057': { given: failed, input: ({ S }) => ({ SnapshotId: S, ChangedBlocksCount: 0 }) },
  'ebs-058': {
    given: readable,
    async check(_answer, cloud, { S = '' }) {
      const snapshot = await describeSnapshot(cloud, S);
      expect(snapshot).toMatchObject({
        State: 'completed',
        Progress: '100%',
        FullSnapshotSizeInBytes: 2_097_152,
      });
      expect(snapshot['CompletionTime']).toBeInstanceOf(Date);
    },
  },
  'ebs-059': {
    ...complete(),
    async check(_answer, cloud, { S = '' }) {
      await untilReadable(cloud);
      expect(await describeSnapshot(cloud, S)).toMatchObject({
        State: 'completed',
        FullSnapshotSizeInBytes: 0,
      });
    },
  },
  'ebs-060': {
    ...complete(),
    async check(_answer, cloud, { S = '' }) {
      await untilReadable(cloud);
      expect(await describeSnapshot(cloud, S)).toMatchObject({ State: 'completed' });
    },
  },
  'ebs-061': complete(),
  'ebs-064': complete(),
  'ebs-065': complete(),
  'ebs-068': {
    async given(cloud) {
      const P = await writtenSnapshot(cloud, { 0: A, 1: B, 2: C, 3: A });
      const child = await startSnapshot(cloud, { ParentSnapshotId: P });
      for (const [index, block] of [
        [0, ZEROS],
        [1, B],
        [9, C],
      ] as const)
        await cloud.must('ebs', 'PutSnapshotBlock', putInput(child, index, block));
      return { C: child };
    },
    async check(_answer, cloud, { C: child = '' }) {
      await untilReadable(cloud);
      expect(await describeSnapshot(cloud, child)).toMatchObject({ State: 'completed' });
    },
  },
  'ebs-069': {
    async given(cloud) {
      const P = await writtenSnapshot(cloud, { 0: A, 1: B, 2: C, 3: A });
      return { C: await writtenSnapshot(cloud, { 0: ZEROS, 1: B, 9: C }, { ParentSnapshotId: P }) };
    },
    fields: true,
  },
  'ebs-070': lag(45, [9, 19, 30, 40], 51),
  'ebs-071': lag(45, [43], 53),
  'ebs-072': lag(60, [53], 63),
  'ebs-074': lag(4, [], 6),
  'ebs-075': {
    async whole(cloud) {
      const S = await startSnapshot(cloud, { Timeout: 10 });
      await cloud.clock.advance(909_000);
      expect(await describeSnapshot(cloud, S)).toMatchObject({ State: 'pending' });
      await cloud.clock.advance(20_000);
      expect(await describeSnapshot(cloud, S)).toMatchObject({
        State: 'error',
        StateMessage: 'Snapshot timed out',
      });
    },
  },
  'ebs-076': {
    async whole(cloud) {
      const S = await startSnapshot(cloud, { Timeout: 10 });
      await cloud.clock.advance(930_000);
      const answers = [
        await cloud.ebs('ListSnapshotBlocks', { SnapshotId: S }),
        await cloud.ebs('PutSnapshotBlock', putInput(S, 0, A)),
        await cloud.ebs('CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 0 }),
        await cloud.ebs('StartSnapshot', { VolumeSize: 1, ParentSnapshotId: S }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 202, 404]);
      expect(answers[2]?.body).toBe('{"Status":"error"}');
      expect(answers[3]?.body).toContain('SNAPSHOT_NOT_FOUND');
    },
  },
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

/** A second StartSnapshot with the same token, after something happened to the first one's snapshot. */
function replay(between: (cloud: TestCloud, snapshotId: string) => Promise<void>): Case {
  return {
    async whole(cloud, vector: Vector) {
      const input = { VolumeSize: 1, ClientToken: 'token' };
      const first = await cloud.ebs('StartSnapshot', input);
      await between(cloud, String(first.output['SnapshotId']));
      await cloud.clock.advance(1000);
      const second = await cloud.ebs('StartSnapshot', input);
      expectAnswer(second, vector, {});
      expect(second.body).toBe(first.body);
      expect(JSON.parse(second.body)).toHaveProperty('Status', 'pending');
    },
  };
}

/** A block put again: the last bytes stay, and the index counts once. */
function rewrite(first: Buffer, second: Buffer): Case {
  return {
    async given(cloud) {
      const S = await startSnapshot(cloud);
      await cloud.must('ebs', 'PutSnapshotBlock', putInput(S, 0, first));
      return { S };
    },
    input: ({ S = '' }) => putInput(S, 0, second),
    async check(_answer, cloud, { S = '' }) {
      await cloud.must('ebs', 'CompleteSnapshot', { SnapshotId: S, ChangedBlocksCount: 1 });
      await untilReadable(cloud);
      expect(await describeSnapshot(cloud, S)).toMatchObject({ State: 'completed' });
      const token = await tokenOf(cloud, S, 0);
      const { Checksum } = await cloud.must('ebs', 'GetSnapshotBlock', {
        SnapshotId: S,
        BlockIndex: 0,
        BlockToken: token,
      });
      expect(Checksum).toBe(digest(second));
    },
  };
}

async function expectChecksumError(cloud: TestCloud, snapshotId: string): Promise<void> {
  expect(await describeSnapshot(cloud, snapshotId)).toMatchObject({ State: 'pending' });
  await untilReadable(cloud);
  expect(await describeSnapshot(cloud, snapshotId)).toMatchObject({
    State: 'error',
    StateMessage: 'Checksum mismatch for snapshot',
    Progress: '0%',
  });
}

/** Vectors of served operations that the embedded cloud does not hold, and why. */
export const EBS_NOT_HELD: Readonly<Record<string, string>> = {
  'ebs-025': 'members of XML answers come in the order of the SDK’s schema; no client depends on it',
  'ebs-114': 'a deleted snapshot is gone at once; on AWS its blocks can be read for some seconds more',
};

/** Vectors about what the embedded cloud does not serve. */
export const EBS_NOT_SERVED: Readonly<Record<string, string>> = {
  'ebs-030': 'one Region',
  'ebs-118': 'one account: no sharing',
  'ebs-119': 'one account: no sharing',
  'ebs-120': 'one account: no sharing',
  'ebs-122': 'no CloudTrail',
  'ebs-123': 'no CloudTrail',
};
