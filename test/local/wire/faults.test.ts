import * as ebsModule from '@aws-sdk/client-ebs';
import * as ec2Module from '@aws-sdk/client-ec2';
import { createService, FaultPlan, inProcessHandler } from '../../../local/wire';

const faults = new FaultPlan();
let started = 0;

const common = {
  endpoint: 'http://127.0.0.1',
  region: 'x',
  credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
};
const clientOf = (maxAttempts: number) =>
  new ec2Module.EC2Client({
    ...common,
    maxAttempts,
    requestHandler: inProcessHandler(
      createService(
        ec2Module,
        {
          StartInstances: () => {
            started += 1;
            return { StartingInstances: [] };
          },
        },
        { around: faults.around('ec2') },
      ),
    ),
  });
const start = (maxAttempts = 1) =>
  clientOf(maxAttempts).send(new ec2Module.StartInstancesCommand({ InstanceIds: ['i-1'] }));

beforeEach(() => {
  faults.clear();
  started = 0;
});

test.each([
  ['throttle', 'RequestLimitExceeded', 0],
  ['error-after-effect', 'InternalError', 1],
  ['timeout', 'TimeoutError', 0],
  ['timeout-after-effect', 'TimeoutError', 1],
] as const)('%s answers %s after %i effects', async (kind, name, effects) => {
  faults.add({ service: 'ec2', operation: 'StartInstances', kind });
  await expect(start()).rejects.toMatchObject({ name });
  expect(started).toBe(effects);
  await start();
  expect(started).toBe(effects + 1);
});

test('faults hit the calls they are for, in number and order', async () => {
  faults.add({ service: 'ec2', operation: 'StartInstances', kind: 'throttle', after: 1, times: 2 });
  faults.add({ service: 'ec2', operation: 'StopInstances', kind: 'throttle' });
  await start();
  await expect(start()).rejects.toThrow();
  await expect(start()).rejects.toThrow();
  await start();
  expect(faults.unused().map(({ operation }) => operation)).toEqual(['StopInstances']);
});

test('the SDK retries what is thrown at it', async () => {
  faults.add({ service: 'ec2', operation: 'StartInstances', kind: 'throttle', times: 2 });
  await start(3);
  expect(started).toBe(1);
});

test('EBS says throttled in its own form', async () => {
  const plan = new FaultPlan();
  plan.add({ service: 'ebs', operation: 'StartSnapshot', kind: 'throttle' });
  const service = createService(ebsModule, { StartSnapshot: () => ({}) }, { around: plan.around('ebs') });
  const ebs = new ebsModule.EBSClient({
    ...common,
    maxAttempts: 1,
    requestHandler: inProcessHandler(service),
  });
  await expect(ebs.send(new ebsModule.StartSnapshotCommand({ VolumeSize: 1 }))).rejects.toMatchObject({
    name: 'RequestThrottledException',
    Reason: 'ACCOUNT_THROTTLED',
  });
});
