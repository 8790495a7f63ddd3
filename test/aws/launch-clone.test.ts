import {
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { UsageMeter } from '../../aws/ebs/usage-meter';
import { terminateClone } from '../../aws/steps/clean-up';
import { launchClone } from '../../aws/steps/launch-clone';
import { stepCost } from '../../aws/steps/step-cost';
import type { CloneDocument, TargetDocument } from '../../core/workflow/documents';
import { cloneKey, targetKey } from '../../core/workflow/keys';
import { startTestServices, type TestServices } from '../support/aws-services';

/** EC2's reads lag behind its writes ("Eventual consistency in the Amazon EC2 API"): each answer here is one of a sequence. */
const run = 'r';
const classId = 'c1';
const instanceId = 'i-0aaaaaaaaaaaaaaa1';
const input = { run, classId, instanceId };
const CLONE = 'i-0ccccccccccccccc1';
const NETWORK = { securityGroupIds: ['sg-0a0a0a0a0a0a0a0a0'] };

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices();
});
afterEach(() => services.close());

const refused = (name: string): Error => Object.assign(new Error(name), { name });

/** What EC2 answers to each kind of command, call by call; the last answer is repeated. */
function answer(answers: Readonly<Record<string, readonly unknown[]>>): void {
  const given = new Map(Object.entries(answers).map(([name, list]) => [name, [...list]]));
  jest.spyOn(services.ec2, 'send').mockImplementation((async (command: object) => {
    const list = given.get(command.constructor.name)!;
    const found = list.length > 1 ? list.shift() : list[0];
    if (found instanceof Error) throw found;
    return found;
  }) as never);
}

const inState = (Name: string) => ({
  Reservations: [{ Instances: [{ InstanceId: CLONE, State: { Name } }] }],
});

test('a clone that EC2 does not show yet is waited for', async () => {
  const { documents } = services;
  const image: Partial<CloneDocument> = {
    originalInstanceId: instanceId,
    done: false,
    snapshots: [{ snapshotId: 'snap-1', baseSnapshotId: 'snap-1' }] as never,
    written: true,
    imageId: 'ami-1',
    ...stepCost(services.now(), services.now(), new UsageMeter()),
  };
  await documents.write(cloneKey(run, classId, instanceId), image);
  const target: Partial<TargetDocument> = { instanceId, instanceType: 't3.micro' };
  await documents.write(targetKey(run, instanceId), target);
  answer({
    [RunInstancesCommand.name]: [{ Instances: [{ InstanceId: CLONE }] }],
    [DescribeInstancesCommand.name]: [
      refused('InvalidInstanceID.NotFound'),
      { Reservations: [] },
      inState('pending'),
      inState('terminated'),
    ],
  });
  const call = () => launchClone(services, input, NETWORK, () => true);
  for (let calls = 0; calls < 3; calls += 1) expect(await call()).toEqual({ done: false });
  await expect(call()).rejects.toMatchObject({ name: 'CloneFailedError' });
});

test.each(['InvalidAMIID.NotFound', 'InvalidAMIID.Unavailable'])(
  'an image that is still listed, and gone already (%s), does not keep a clone from being terminated',
  async (code) => {
    answer({
      [DescribeInstancesCommand.name]: [inState('terminated')],
      [DescribeImagesCommand.name]: [{ Images: [{ ImageId: 'ami-1' }] }],
      [DeregisterImageCommand.name]: [refused(code)],
    });
    expect(await terminateClone(services, input)).toEqual({ done: true });
  },
);
