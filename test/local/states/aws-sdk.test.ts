import type { Json } from '../../../local/states/json';
import { startLocalCloud, type LocalCloud } from '../../../local/start';
import { temporaryFolder } from '../../support/temporary-folder';

let cloud: LocalCloud;
let count = 0;

beforeAll(async () => {
  cloud = await startLocalCloud({
    stateFolder: temporaryFolder('cloud'),
    storage: 'memory',
    machines: 'imaginary',
    speed: 100,
  });
});
afterAll(() => cloud.close());

/** Runs one Task of `aws-sdk:<action>` against the cloud's own services, over the wire. */
async function call(action: string, Arguments: Json) {
  const task = { Type: 'Task', Resource: `arn:aws:states:::aws-sdk:${action}`, Arguments, End: true };
  const definition = JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'T', States: { T: task } });
  const machine = cloud.engine.putStateMachine(`m${++count}`, definition);
  const ended = await cloud.engine.ended(cloud.engine.start(machine, 'run', {}).executionArn);
  return { error: ended?.error, cause: ended?.cause, output: JSON.parse(ended?.output ?? 'null') as unknown };
}

test('parameters and results are in PascalCase, whatever the service writes', async () => {
  expect(await call('s3:createBucket', { Bucket: 'made-by-states' })).toMatchObject({
    output: { Location: '/made-by-states' },
  });
  const put = await call('s3:putObject', { Bucket: 'made-by-states', Key: 'k', Body: { compact: ['json'] } });
  expect(put.output).toMatchObject({ ETag: expect.any(String) as string, ServerSideEncryption: 'AES256' });
  const got = await call('s3:getObject', { Bucket: 'made-by-states', Key: 'k' });
  expect(got.output).toMatchObject({ Body: '{"compact":["json"]}' });
  const { output } = await call('sfn:listStateMachines', { MaxResults: 1 });
  expect(output).toMatchObject({
    StateMachines: [{ Name: 'm1', CreationDate: expect.stringMatching(/Z$/) as string }],
  });
});

test('nested parameters, numbers and booleans', async () => {
  const { output } = await call('ec2:createVolume', {
    AvailabilityZone: 'us-east-1a',
    Size: 8,
    Encrypted: true,
    TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'a', Value: 'b' }] }],
  });
  expect(output).toMatchObject({ Size: 8, Encrypted: true, Tags: [{ Key: 'a', Value: 'b' }] });
});

test.each<[string, Json, string, string]>([
  ['s3:getObject', { Bucket: 'made-by-states', Key: 'none' }, 'S3.NoSuchKeyException', 'Status Code: 404'],
  ['ec2:createSnapshot', { VolumeId: 'vol-0123456789abcdef0' }, 'Ec2.Ec2Exception', 'InvalidVolume.NotFound'],
  [
    'sfn:describeExecution',
    { ExecutionArn: 'arn:aws:states:us-east-1:000000000000:execution:m:x' },
    'Sfn.ExecutionDoesNotExistException',
    'Execution Does Not Exist',
  ],
  [
    'ebs:completeSnapshot',
    { SnapshotId: 'snap-00000000000000000', ChangedBlocksCount: 0 },
    'Ebs.ResourceNotFoundException',
    'Ebs',
  ],
  ['lambda:invoke', { FunctionName: 'none' }, 'Lambda.ResourceNotFoundException', 'Function not found: none'],
  [
    's3:getObject',
    { bucket: 'x' },
    'States.Runtime',
    "The field 'bucket' is not supported by Step Functions",
  ],
  ['s3:getSomething', {}, 'States.Runtime', 's3 has no action getSomething'],
])('%s %j fails as %s', async (action, parameters, error, cause) => {
  expect(await call(action, parameters)).toMatchObject({
    error,
    cause: expect.stringContaining(cause) as string,
  });
});

test('a service that is not served is refused when the machine is made', () => {
  const task = { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:dynamodb:getItem', End: true };
  const definition = JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'T', States: { T: task } });
  expect(() => cloud.engine.putStateMachine('refused', definition)).toThrow('aws-sdk:dynamodb:getItem');
});
