import { expectAnswer, type Case, type Cases } from './expectations';
import {
  availableVolume,
  describeInstance,
  describeVolume,
  rootVolume,
  runningInstance,
  settle,
  stoppedInstance,
  image,
  plainSnapshot,
} from './fleet';
import type { TestCloud } from './test-cloud';
import type { Bindings } from './vector';

const stopped = async (cloud: TestCloud): Promise<Bindings> => ({
  I: (await stoppedInstance(cloud)).instanceId,
});
const running = async (cloud: TestCloud): Promise<Bindings> => ({
  I: (await runningInstance(cloud)).instanceId,
});
const terminated = async (cloud: TestCloud): Promise<Bindings> => {
  const { I = '' } = await stopped(cloud);
  await cloud.must('ec2', 'TerminateInstances', { InstanceIds: [I] });
  await settle(cloud);
  return { I };
};
const stateChange = (list: string) => (output: Record<string, unknown>) => {
  const [change] = output[list] as {
    CurrentState: { Code: number; Name: string };
    PreviousState: { Code: number; Name: string };
  }[];
  return {
    CurrentState: [change?.CurrentState.Code, change?.CurrentState.Name],
    PreviousState: [change?.PreviousState.Code, change?.PreviousState.Name],
  };
};

/** The state change that the vector tells in its fields. */
const stateCase = (given: Case['given'], list: string): Case => ({
  async whole(cloud, vector) {
    const bindings = (await given?.(cloud)) ?? {};
    const answer = await cloud.ec2(vector.when.operation, { InstanceIds: [bindings['I']] });
    expectAnswer(answer, vector, bindings);
    expect(stateChange(list)(answer.output)).toEqual(vector.then.fields);
  },
});

export const EC2_INSTANCE_CASES: Cases = {
  'ec2-089': {
    given: async (cloud) => ({ ami: await image(cloud) }),
    input: ({ ami }, { when }) => ({ ImageId: ami, MinCount: 1, MaxCount: 1, ...when.input }),
  },
  'ec2-091': {
    given: async (cloud) => ({ ami: await image(cloud) }),
    input: ({ ami }) => ({ ImageId: ami, MinCount: 1, MaxCount: 1 }),
    check({ output }) {
      expect((output['Instances'] as unknown[])[0]).toMatchObject({
        State: { Code: 0, Name: 'pending' },
        BlockDeviceMappings: [],
        StateReason: { Code: 'pending', Message: 'pending' },
        StateTransitionReason: '',
        NetworkInterfaces: [{ Attachment: { Status: 'attaching' } }],
        MetadataOptions: { State: 'pending' },
      });
    },
  },
  'ec2-092': {
    async whole(cloud) {
      const input = { ImageId: await image(cloud), MinCount: 1, MaxCount: 1, ClientToken: 'token' };
      const ids = ({ ReservationId, Instances }: Record<string, unknown>) => ({
        ReservationId,
        InstanceId: (Instances as { InstanceId: string }[])[0]?.InstanceId,
      });
      const first = await cloud.must('ec2', 'RunInstances', input);
      const again = await cloud.must('ec2', 'RunInstances', input);
      expect(ids(again)).toEqual(ids(first));
      expect((again['Instances'] as unknown[])[0]).toMatchObject({
        BlockDeviceMappings: [{ Ebs: { Status: 'attaching' } }],
      });
      expect(await cloud.ec2('RunInstances', { ...input, InstanceType: 't3.micro' })).toMatchObject({
        code: 'IdempotentParameterMismatch',
      });
    },
  },
  'ec2-097': {
    async whole(cloud) {
      const { I = '' } = await running(cloud);
      const at = cloud.clock.now().toISOString();
      await cloud.must('ec2', 'StopInstances', { InstanceIds: [I] });
      expect(await describeInstance(cloud, I)).toMatchObject({
        State: { Code: 64, Name: 'stopping' },
        StateReason: {
          Code: 'Client.UserInitiatedShutdown',
          Message: 'Client.UserInitiatedShutdown: User initiated shutdown',
        },
        StateTransitionReason: `User initiated (${at.slice(0, 10)} ${at.slice(11, 19)} GMT)`,
        PrivateIpAddress: '10.0.1.4',
        BlockDeviceMappings: [{ Ebs: { Status: 'attached' } }],
      });
    },
  },
  'ec2-099': stateCase(stopped, 'StoppingInstances'),
  'ec2-101': {
    async whole(cloud, vector) {
      await stateCase(stopped, 'StartingInstances').whole?.(cloud, vector);
      const [instance] = cloud.state.instances.values();
      expect(await describeInstance(cloud, instance?.instanceId ?? '')).toMatchObject({
        StateReason: { Code: 'Client.UserInitiatedShutdown' },
      });
    },
  },
  'ec2-103': {
    async whole(cloud) {
      const { I = '' } = await stopped(cloud);
      const answer = await cloud.ec2('TerminateInstances', { InstanceIds: [I] });
      expect(stateChange('TerminatingInstances')(answer.output)).toEqual({
        CurrentState: [48, 'terminated'],
        PreviousState: [80, 'stopped'],
      });
      const read = await describeInstance(cloud, I);
      expect(read).toMatchObject({
        State: { Code: 32, Name: 'shutting-down' },
        BlockDeviceMappings: [{ Ebs: { Status: 'detaching' } }],
        NetworkInterfaces: [{ Attachment: { Status: 'detaching' } }],
        SecurityGroups: [],
        PrivateDnsName: '',
      });
      expect(read).not.toHaveProperty('IamInstanceProfile');
    },
  },
  'ec2-104': {
    async whole(cloud) {
      const { I = '' } = await running(cloud);
      const answer = await cloud.ec2('TerminateInstances', { InstanceIds: [I] });
      expect(stateChange('TerminatingInstances')(answer.output)).toEqual({
        CurrentState: [32, 'shutting-down'],
        PreviousState: [16, 'running'],
      });
      await cloud.clock.advance(60);
      const early = await describeInstance(cloud, I);
      expect(early).toMatchObject({ State: { Code: 16 }, StateTransitionReason: '' });
      expect(early).not.toHaveProperty('StateReason');
      await cloud.clock.advance(5000);
      expect(await describeInstance(cloud, I)).toMatchObject({
        State: { Code: 32 },
        StateReason: { Code: 'Client.UserInitiatedShutdown' },
        BlockDeviceMappings: [{ Ebs: { Status: 'attached' } }],
      });
      await cloud.clock.advance(25_000);
      await cloud.settled();
      expect(await describeInstance(cloud, I)).toMatchObject({ State: { Code: 48 } });
    },
  },
  'ec2-105': stateCase(terminated, 'TerminatingInstances'),
  'ec2-106': {
    given: terminated,
    async check(_answer, cloud, { I = '' }) {
      expect(await describeInstance(cloud, I)).toMatchObject({
        State: { Code: 48, Name: 'terminated' },
        BlockDeviceMappings: [],
        NetworkInterfaces: [],
        SecurityGroups: [],
        StateReason: { Message: 'Client.UserInitiatedShutdown: User initiated shutdown' },
        Tags: [{ Key: 'Name' }],
      });
    },
  },
  'ec2-107': { given: terminated },
  'ec2-108': { given: terminated },
  'ec2-110': {
    async whole(cloud) {
      const instance = await stoppedInstance(cloud);
      const V = await availableVolume(cloud);
      await cloud.must('ec2', 'AttachVolume', {
        VolumeId: V,
        InstanceId: instance.instanceId,
        Device: '/dev/sdf',
      });
      await settle(cloud);
      const root = rootVolume(cloud, instance).volumeId;
      await cloud.must('ec2', 'TerminateInstances', { InstanceIds: [instance.instanceId] });
      await settle(cloud);
      expect(await describeVolume(cloud, V)).toMatchObject({ State: 'available', Attachments: [] });
      expect(await cloud.ec2('DescribeVolumes', { VolumeIds: [root] })).toMatchObject({
        code: 'InvalidVolume.NotFound',
      });
    },
  },
  'ec2-111': {
    async whole(cloud) {
      const instance = await stoppedInstance(cloud);
      const root = rootVolume(cloud, instance);
      await cloud.must('ec2', 'ModifyInstanceAttribute', {
        InstanceId: instance.instanceId,
        BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } }],
      });
      expect(await describeVolume(cloud, root.volumeId)).toMatchObject({
        State: 'in-use',
        Attachments: [
          {
            DeleteOnTermination: false,
            EbsCardIndex: 0,
            VolumeId: root.volumeId,
            InstanceId: instance.instanceId,
            Device: '/dev/xvda',
            State: 'attached',
          },
        ],
      });
      expect((await describeInstance(cloud, instance.instanceId))['BlockDeviceMappings']).toEqual([
        {
          DeviceName: '/dev/xvda',
          Ebs: {
            AttachTime: expect.any(Date) as Date,
            DeleteOnTermination: false,
            Status: 'attached',
            VolumeId: root.volumeId,
            EbsCardIndex: 0,
          },
        },
      ]);
    },
  },
  'ec2-115': {
    async given(cloud) {
      const ami = await image(cloud);
      return { ami, S: cloud.state.images.get(ami)?.blockDevices[0]?.snapshotId ?? '' };
    },
  },
  'ec2-117': {
    given: async (cloud) => ({ ami: await image(cloud) }),
    input: ({ ami }, { when }) => ({ ...when.input, ImageId: ami }),
  },
  'ec2-118': {
    async given(cloud) {
      const { S = '' } = await plainSnapshot(cloud);
      await cloud.must('ec2', 'DeleteSnapshot', { SnapshotId: S });
      return { S };
    },
  },
};
