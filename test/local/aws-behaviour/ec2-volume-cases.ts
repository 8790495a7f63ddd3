import { startSnapshot, untilReadable } from './blocks';
import { expectAnswer, type Case, type Cases } from './expectations';
import { availableVolume, describeVolume, ZONE, plainSnapshot } from './fleet';
import type { TestCloud } from './test-cloud';
import type { Bindings } from './vector';

const volume = async (cloud: TestCloud): Promise<Bindings> => ({ V: await availableVolume(cloud) });
/** A CreateVolume with the vector's members over a good one. */
const create = (input?: object, without: string[] = []): Case => ({
  given: () => ({ az: ZONE, azid: 'use1-az1' }),
  input: (_bindings, { when }) => {
    const merged: Record<string, unknown> = { AvailabilityZone: ZONE, Size: 100, ...when.input, ...input };
    for (const name of without) delete merged[name];
    return merged;
  },
});

const modify = (input?: object): Case => ({
  given: volume,
  input: ({ V }, { when }) => ({ ...when.input, VolumeId: V, ...input }),
});

/** The same check for operations that a vector names together. */
const each = (operations: Record<string, (bindings: Bindings) => object>, given?: Case['given']): Case => ({
  async whole(cloud, vector) {
    const bindings = (await given?.(cloud)) ?? {};
    for (const [operation, input] of Object.entries(operations))
      expectAnswer(await cloud.ec2(operation, input(bindings)), vector, bindings);
  },
});

export const EC2_VOLUME_CASES: Cases = {
  'ec2-002': {
    async whole(cloud) {
      const { body } = await cloud.ec2('CreateVolume', { AvailabilityZone: ZONE, Size: 1 });
      expect(body).toMatch(
        /^<\?xml version="1.0" encoding="UTF-8"\?>\n<CreateVolumeResponse xmlns="http:\/\/ec2\.amazonaws\.com\/doc\/2016-11-15\/"><requestId>[0-9a-f-]{36}<\/requestId>/,
      );
      expect(body).toContain('<tagSet/>');
      const listed = await cloud.ec2('DescribeVolumes');
      expect(listed.body).toContain('<attachmentSet/>');
      expect(listed.body).not.toContain('<tagSet');
    },
  },
  'ec2-004': {},
  'ec2-005': { given: () => ({ az: ZONE }) },
  'ec2-008': { given: () => ({ az: ZONE, azid: 'use1-az1' }), fields: true },
  'ec2-009': create(),
  'ec2-010': create({ VolumeType: 'gp3' }),
  'ec2-011': create(),
  'ec2-012': create({ Size: 1 }),
  'ec2-013': create(),
  'ec2-015': create(),
  'ec2-016': create(),
  'ec2-017': create(),
  'ec2-018': create(),
  'ec2-020': {
    ...create(),
    async check(_answer, cloud) {
      const message = async (input: object) =>
        (await cloud.ec2('CreateVolume', { AvailabilityZone: ZONE, ...input })).message;
      expect(await message({ VolumeType: 'gp3', Size: 65_537 })).toBe(
        'Volume of 65537GiB is too large for volume type gp3; maximum is 65536GiB',
      );
      expect(await message({ VolumeType: 'standard', Size: 1025 })).toBe(
        'Volume of 1025GiB is too large for volume type standard; maximum is 1024GiB',
      );
      expect(await message({ VolumeType: 'gp3', Size: 1000, Iops: 80_001 })).toBe(
        'Volume iops of 80001 is too high; maximum is 80000.',
      );
    },
  },
  'ec2-021': {
    input: () => ({
      AvailabilityZone: ZONE,
      Size: 1,
      TagSpecifications: [
        {
          ResourceType: 'volume',
          Tags: [
            { Key: 'suite', Value: '1' },
            { Key: 'suite', Value: '2' },
          ],
        },
      ],
    }),
  },
  'ec2-023': create({ ClientToken: 't'.repeat(65) }),
  'ec2-024': {
    given: () => ({ az: ZONE, azid: 'use1-az1' }),
    check({ output }) {
      expect(output).toMatchObject({
        AvailabilityZoneId: 'use1-az1',
        Iops: 3000,
        Throughput: 125,
        VolumeType: 'gp3',
        Size: 1,
        SnapshotId: '',
        State: 'creating',
        Encrypted: false,
        MultiAttachEnabled: false,
      });
      expect((output['CreateTime'] as Date).getMilliseconds()).toBe(0);
    },
  },
  'ec2-025': {
    given: async (cloud) => ({ ...(await volume(cloud)), region: 'us-east-1', account: '000000000000' }),
    async check(_answer, cloud, { V = '' }) {
      expect(await describeVolume(cloud, V)).toMatchObject({
        State: 'available',
        VolumeArn: `arn:aws:ec2:us-east-1:000000000000:volume/${V}`,
        Attachments: [],
        Operator: { Managed: false },
      });
    },
  },
  'ec2-026': {
    async whole(cloud) {
      const input = { AvailabilityZone: ZONE, Size: 1, ClientToken: 'token' };
      const first = await cloud.must('ec2', 'CreateVolume', input);
      expect(first).toMatchObject({ State: 'creating' });
      await cloud.clock.advance(cloud.state.timings.volumeCreating);
      expect(await cloud.must('ec2', 'CreateVolume', input)).toMatchObject({
        VolumeId: first['VolumeId'],
        State: 'available',
      });
    },
  },
  'ec2-030': deletedToken({}),
  'ec2-031': deletedToken({ Size: 2 }),
  'ec2-032': { given: async (cloud) => ({ S: await startSnapshot(cloud), az: ZONE }) },
  'ec2-034': {
    async given(cloud) {
      const { S = '' } = await plainSnapshot(cloud);
      await cloud.must('ec2', 'DeleteSnapshot', { SnapshotId: S });
      return { S };
    },
    input: ({ S }) => ({ SnapshotId: S, AvailabilityZone: ZONE }),
  },
  'ec2-035': { given: plainSnapshot, fields: true },
  'ec2-036': {
    given: (cloud) => plainSnapshot(cloud, { VolumeSize: 2 }),
    input: ({ S }) => ({ SnapshotId: S, Size: 1, AvailabilityZone: ZONE }),
    fields: true,
  },
  'ec2-038': {
    given: plainSnapshot,
    input: ({ S, K }) => ({ SnapshotId: S, KmsKeyId: K, AvailabilityZone: ZONE }),
  },
  'ec2-039': {
    given: plainSnapshot,
    input: ({ S }) => ({ SnapshotId: S, Encrypted: true, AvailabilityZone: ZONE }),
    async check({ output }, cloud) {
      expect(output).toMatchObject({ Encrypted: true });
      expect(output).not.toHaveProperty('KmsKeyId');
      expect(await describeVolume(cloud, String(output['VolumeId']))).toHaveProperty('KmsKeyId');
    },
  },
  'ec2-040': {
    async whole(cloud) {
      const { S } = await plainSnapshot(cloud);
      const { VolumeId, State } = await cloud.must('ec2', 'CreateVolume', {
        SnapshotId: S,
        AvailabilityZone: ZONE,
        Encrypted: true,
        KmsKeyId: 'disabled',
      });
      expect(State).toBe('creating');
      await cloud.clock.advance(cloud.state.timings.volumeCreating);
      expect(await cloud.ec2('DescribeVolumes', { VolumeIds: [VolumeId] })).toMatchObject({
        status: 400,
        code: 'InvalidVolume.NotFound',
      });
    },
  },
  'ec2-041': {
    async given(cloud) {
      const { S } = await plainSnapshot(cloud);
      return { V: await availableVolume(cloud, { SnapshotId: S }) };
    },
    check({ output }) {
      expect((output['VolumeStatuses'] as unknown[])[0]).toMatchObject({
        VolumeStatus: {
          Status: 'ok',
          Details: [
            { Name: 'io-enabled', Status: 'passed' },
            { Name: 'io-performance', Status: 'not-applicable' },
            { Name: 'initialization-state', Status: 'completed' },
          ],
        },
        InitializationStatusDetails: { InitializationType: 'default', Progress: 100 },
      });
    },
  },
  'ec2-042': {
    given: volume,
    async check({ output, body }, cloud, { V }) {
      expect(output).toMatchObject({ State: 'pending', Description: '', VolumeId: V, Tags: [] });
      expect(body).toMatch(/<progress>\s*<\/progress>|<progress\/>/);
      expect(output).not.toHaveProperty('KmsKeyId');
      await untilReadable(cloud);
      const { Snapshots } = await cloud.must('ec2', 'DescribeSnapshots', {
        SnapshotIds: [output['SnapshotId']],
      });
      expect((Snapshots as unknown[])[0]).toMatchObject({
        State: 'completed',
        Progress: '100%',
        FullSnapshotSizeInBytes: 0,
      });
    },
  },
  'ec2-047': {
    async whole(cloud) {
      const { S } = await plainSnapshot(cloud);
      const VolumeId = await availableVolume(cloud, { SnapshotId: S });
      const { SnapshotId } = await cloud.must('ec2', 'CreateSnapshot', { VolumeId });
      await untilReadable(cloud);
      const read = async () => {
        const { Blocks } = await cloud.must('ebs', 'ListSnapshotBlocks', { SnapshotId });
        const [block] = Blocks as { BlockIndex: number; BlockToken: string }[];
        return (await cloud.must('ebs', 'GetSnapshotBlock', { SnapshotId, ...block }))['Checksum'];
      };
      const before = await read();
      await cloud.must('ec2', 'DeleteSnapshot', { SnapshotId: S });
      expect(await read()).toBe(before);
    },
  },
  'ec2-048': {
    check: async (_answer, cloud) =>
      expect(await cloud.ec2('DeleteVolume', { DryRun: true })).toMatchObject({ code: 'MissingParameter' }),
  },
  'ec2-049': {
    async check(_answer, cloud) {
      for (const VolumeId of ['', 'vol-00000000000000000'])
        expect((await cloud.ec2('DeleteVolume', { VolumeId, DryRun: true })).message).toBe(
          `The volume ID '${VolumeId}' is malformed`,
        );
    },
  },
  'ec2-051': {
    given: async (cloud) => ({
      V: String((await cloud.must('ec2', 'CreateVolume', { AvailabilityZone: ZONE, Size: 1 }))['VolumeId']),
    }),
  },
  'ec2-052': {},
  'ec2-054': {},
  'ec2-055': {},
  'ec2-056': {},
  'ec2-057': {
    given: volume,
    check: ({ output }) => expect(output['VolumeStatuses']).toHaveLength(1),
  },
  'ec2-058': {},
  'ec2-059': {},
  'ec2-060': {},
  'ec2-061': {
    given: volume,
    async check(_answer, cloud, { V }) {
      const filtered = await cloud.must('ec2', 'DescribeVolumesModifications', {
        Filters: [{ Name: 'volume-id', Values: [V] }],
      });
      expect(filtered['VolumesModifications'] ?? []).toEqual([]);
    },
  },
  'ec2-063': each({
    DescribeVolumes: () => ({ VolumeIds: ['bad'], DryRun: true }),
    DescribeVolumeStatus: () => ({ VolumeIds: ['bad'], DryRun: true }),
    DescribeVolumesModifications: () => ({ VolumeIds: ['bad'], DryRun: true }),
    DescribeVolumeAttribute: () => ({ VolumeId: 'bad', DryRun: true }),
    ModifyVolume: () => ({ VolumeId: 'bad', DryRun: true }),
  }),
  'ec2-066': each(
    {
      DescribeVolumes: ({ V }) => ({ VolumeIds: [V], MaxResults: 0 }),
      DescribeVolumeStatus: ({ V }) => ({ VolumeIds: [V], MaxResults: 1001 }),
    },
    volume,
  ),
  'ec2-068': { given: volume },
  'ec2-069': { input: () => ({ MaxResults: 1, Filters: [{ Name: 'tag:suite', Values: ['x'] }] }) },
  'ec2-071': each({
    DescribeVolumes: () => ({ NextToken: 'malformed' }),
    DescribeVolumeStatus: () => ({ NextToken: 'malformed' }),
  }),
  'ec2-072': { given: volume },
  'ec2-073': modify(),
  'ec2-076': modify(),
  'ec2-078': {
    async given(cloud) {
      const { V } = await volume(cloud);
      await cloud.must('ec2', 'ModifyVolume', { VolumeId: V, Size: 2 });
      return { V: V ?? '' };
    },
    input: ({ V }) => ({ VolumeId: V, Size: 2 }),
  },
  'ec2-079': {
    async whole(cloud) {
      const { V = '' } = await volume(cloud);
      await cloud.must('ec2', 'ModifyVolume', { VolumeId: V, Size: 2 });
      const modification = async () =>
        (
          (await cloud.must('ec2', 'DescribeVolumesModifications', { VolumeIds: [V] }))[
            'VolumesModifications'
          ] as unknown[]
        )[0];
      expect(await modification()).toMatchObject({ ModificationState: 'modifying', Progress: 0 });
      expect(await describeVolume(cloud, V)).toMatchObject({ Size: 1, State: 'available' });
      await cloud.clock.advance(2000);
      expect(await modification()).toMatchObject({
        ModificationState: 'completed',
        Progress: 100,
        EndTime: expect.any(Date) as Date,
      });
      expect(await describeVolume(cloud, V)).toMatchObject({ Size: 2, State: 'available' });
    },
  },
  'ec2-081': {
    async given(cloud) {
      const { V = '' } = await volume(cloud);
      const first = cloud.clock.now().getTime();
      for (let Size = 2; Size <= 5; Size += 1) {
        await cloud.must('ec2', 'ModifyVolume', { VolumeId: V, Size });
        await cloud.clock.advance(2000);
      }
      return { V, utc: new Date(first + 24 * 3_600_000).toISOString() };
    },
    input: ({ V }) => ({ VolumeId: V, Size: 6 }),
  },
  'ec2-082': { given: volume },
  'ec2-083': { given: volume },
  'ec2-085': { given: volume },
};

function deletedToken(other: object): Case {
  return {
    async whole(cloud, vector) {
      const input = { AvailabilityZone: ZONE, Size: 1, ClientToken: 'token' };
      const { VolumeId } = await cloud.must('ec2', 'CreateVolume', input);
      await cloud.must('ec2', 'DeleteVolume', { VolumeId });
      await cloud.clock.advance(cloud.state.timings.volumeDeleting);
      expectAnswer(await cloud.ec2('CreateVolume', { ...input, ...other }), vector, {});
    },
  };
}
