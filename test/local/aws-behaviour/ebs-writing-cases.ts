import { BLOCK_BYTES } from '../../../local/state';
import {
  digest,
  linear,
  putInput,
  startSnapshot,
  tokenOf,
  untilReadable,
  writtenSnapshot,
  ZEROS,
} from './blocks';
import { expectAnswer, type Case, type Cases } from './expectations';
import { A, B, C, describeSnapshot, pending, readable, failed, listedIndexes } from './snapshots';
import type { TestCloud } from './test-cloud';
import type { Vector } from './vector';

const KEY = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-4333-8444-555555555555';
/** A member of the vector's input over an otherwise good PutSnapshotBlock. */
const put = (change?: object): Case => ({
  given: pending,
  input: ({ S = '' }, { when }) => ({ ...putInput(S, 0, A), ...(change ?? when.input) }),
});
const complete = (input: object = {}): Case => ({
  given: pending,
  input: ({ S }, { when }) => ({ ChangedBlocksCount: 0, ...when.input, SnapshotId: S, ...input }),
});

export const EBS_WRITING_CASES: Cases = {
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
