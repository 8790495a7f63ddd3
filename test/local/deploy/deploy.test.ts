import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { HeadBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { startLocalCloud, type LocalCloud } from '../../../local/start';
import { assetLocation, codeLocation, imageLocation, writeAssembly } from './assembly-under-test';
import { temporaryFolder } from '../../support/temporary-folder';

const HANDLER = (version: number): string => `
exports.handler = async (event) => ({
  version: ${version}, event, bucket: process.env.BUCKET_NAME, endpoint: process.env.AWS_ENDPOINT_URL,
});`;

const MACHINE = JSON.stringify({
  QueryLanguage: 'JSONata',
  StartAt: 'Call',
  States: {
    Call: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { FunctionName: '${StepFunctionArn}', Payload: '{% $states.input %}' },
      Output: { payload: '{% $states.result.Payload %}', bucket: '${BucketName}' },
      End: true,
    },
  },
});

const template = (more: object = {}) => ({
  Resources: {
    Runs: { Type: 'AWS::S3::Bucket' },
    Step: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: codeLocation('code.zip'),
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Timeout: 60,
        MemorySize: 512,
        Environment: {
          Variables: { BUCKET_NAME: { Ref: 'Runs' }, UPDATES_BUCKET: { 'Fn::Sub': 'x-${AWS::Region}' } },
        },
        Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
      },
    },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        DefinitionS3Location: assetLocation('machine.json'),
        DefinitionSubstitutions: {
          StepFunctionArn: { 'Fn::GetAtt': ['Step', 'Arn'] },
          BucketName: { Ref: 'Runs' },
        },
      },
    },
    Role: { Type: 'AWS::IAM::Role', Properties: {} },
    Table: { Type: 'AWS::DynamoDB::Table' },
    ...more,
  },
  Outputs: { MachineArn: { Value: { Ref: 'Machine' } } },
});
const assembly = (version = 1, more: object = {}) =>
  writeAssembly(template(more), [
    { key: 'code.zip', content: { 'index.js': HANDLER(version) } },
    { key: 'machine.json', content: MACHINE },
    { key: 'updates.json', content: '{"updates":[]}' },
  ]);

let cloud: LocalCloud;
let configuration: { endpoint: string; region: string; credentials: object };

beforeAll(async () => {
  cloud = await startLocalCloud({
    stateFolder: temporaryFolder('cloud'),
    storage: 'memory',
    machines: 'imaginary',
    speed: 100,
    functionVariables: { BROUGHT_ALONG: '/opt/engine' },
  });
  configuration = {
    endpoint: cloud.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  };
});
afterAll(() => cloud.close());

async function execute(stateMachineArn: string, input: object): Promise<unknown> {
  const states = new SFNClient(configuration as never);
  const { executionArn } = await states.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
  );
  await cloud.engine.ended(executionArn ?? '');
  const { status, output, cause } = await states.send(new DescribeExecutionCommand({ executionArn }));
  if (status !== 'SUCCEEDED') throw new Error(cause);
  return JSON.parse(output ?? 'null');
}

test('buckets, assets, functions and state machines are made and work together', async () => {
  const deployment = await cloud.deploy(assembly());
  expect(deployment).toEqual({
    outputs: { MachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:Test-Machine' },
    stateMachines: { 'Test-Machine': 'arn:aws:states:us-east-1:000000000000:stateMachine:Test-Machine' },
    functions: { Step: 'Test-Step' },
    buckets: { Runs: 'test-runs' },
    accepted: ['AWS::IAM::Role'],
    unknown: ['AWS::DynamoDB::Table'],
  });
  expect(await execute(deployment.outputs['MachineArn'] ?? '', { a: 1 })).toEqual({
    bucket: 'test-runs',
    payload: { version: 1, event: { a: 1 }, bucket: 'test-runs', endpoint: cloud.url },
  });
});

test('the real clients see what was deployed', async () => {
  await cloud.deploy(assembly());
  const lambda = new LambdaClient(configuration as never);
  const FunctionName = 'Test-Step';
  expect(await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).toMatchObject({
    Timeout: 60,
    MemorySize: 512,
    Environment: { Variables: { BUCKET_NAME: 'test-runs', UPDATES_BUCKET: 'x-us-east-1' } },
  });
  const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: Buffer.from('{"b":2}') }));
  expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toMatchObject({ event: { b: 2 } });
  const s3 = new S3Client(configuration as never);
  await s3.send(new HeadBucketCommand({ Bucket: 'test-runs' }));
  const states = new SFNClient(configuration as never);
  const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:Test-Machine';
  const { definition = '' } = await states.send(new DescribeStateMachineCommand({ stateMachineArn }));
  expect(definition).toContain('arn:aws:lambda:us-east-1:000000000000:function:Test-Step');
});

test('file assets lie in the asset bucket under their keys', async () => {
  const folder = writeAssembly(
    {
      Resources: {
        Reader: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            Code: codeLocation('reader.zip'),
            Handler: 'index.handler',
            Runtime: 'nodejs24.x',
            Environment: { Variables: { BUCKET: assetLocation('updates.json').Bucket } },
          },
        },
      },
    },
    [
      { key: 'reader.zip', content: { 'index.js': 'exports.handler = async () => process.env.BUCKET' } },
      { key: 'updates.json', content: '{"updates":["security"]}' },
    ],
    'Assets',
  );
  await cloud.deploy(folder);
  const { payload } = await cloud.lambdas.invoke('Assets-Reader', '{}');
  const Bucket = JSON.parse(payload) as string;
  expect(Bucket).toBe('cdk-hnb659fds-assets-000000000000-us-east-1');
  const answer = await fetch(`${cloud.url}/${Bucket}/updates.json`, {
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request' },
  });
  expect(await answer.text()).toBe('{"updates":["security"]}');
});

describe('a function in a container image', () => {
  const deploy = (dockerfile: string, image: object = {}) => {
    const Packed = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        PackageType: 'Image',
        Code: imageLocation('abc123'),
        ImageConfig: { Command: ['functions/packed/index.handler'] },
        Environment: { Variables: { OWN: 'x' } },
        ...image,
      },
    };
    const content = {
      Dockerfile: dockerfile,
      'functions/packed/index.js':
        'exports.handler = async () => [process.env.OWN, process.env.BROUGHT_ALONG, process.env._HANDLER];',
    };
    return cloud.deploy(writeAssembly({ Resources: { Packed } }, [], 'Images', [{ tag: 'abc123', content }]));
  };
  const twoStages = [
    'FROM public.ecr.aws/docker/library/debian:trixie AS made',
    'RUN make everything',
    'FROM --platform=linux/amd64 public.ecr.aws/lambda/nodejs:24',
    'COPY functions functions',
  ].join('\n');

  test('runs from the folder of the image, with what the image would bring along', async () => {
    expect(await deploy(twoStages)).toMatchObject({ functions: { Packed: 'Images-Packed' }, unknown: [] });
    const { payload } = await cloud.lambdas.invoke('Images-Packed', '{}');
    expect(JSON.parse(payload)).toEqual(['x', '/opt/engine', 'functions/packed/index.handler']);
  });

  test.each<[string, string, object, string]>([
    [
      'of another base',
      'FROM public.ecr.aws/lambda/python:3.13',
      {},
      'is not made from public.ecr.aws/lambda/nodejs',
    ],
    ['without a base', '# nothing', {}, 'is not made from public.ecr.aws/lambda/nodejs'],
    [
      'not of the assembly',
      twoStages,
      { Code: imageLocation('other') },
      'its image is not one of the assembly',
    ],
    ['without a command', twoStages, { ImageConfig: {} }, 'Packed: there is no'],
    [
      'with a command that is not there',
      twoStages,
      { ImageConfig: { Command: ['functions/other/index.handler'] } },
      'there is no functions/other/index.js in',
    ],
  ])('%s is refused', async (_what, dockerfile, image, message) => {
    await expect(deploy(dockerfile, image)).rejects.toThrow(message);
  });
});

test('a function whose sandbox is lost is called again when its task says so', async () => {
  const code =
    'exports.handler = async () => { await new Promise((r) => setTimeout(r, 50)); return "alive"; };';
  const definition = {
    QueryLanguage: 'JSONata',
    StartAt: 'Call',
    States: {
      Call: {
        Type: 'Task',
        Resource: '${FragileFunctionArn}',
        Retry: [{ ErrorEquals: ['Runtime.ExitError'], MaxAttempts: 1 }],
        End: true,
      },
    },
  };
  const Fragile = {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: codeLocation('code.zip'),
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Timeout: 60,
    },
  };
  const Machine = {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      DefinitionString: JSON.stringify(definition),
      DefinitionSubstitutions: { FragileFunctionArn: { 'Fn::GetAtt': ['Fragile', 'Arn'] } },
    },
  };
  const assets = [{ key: 'code.zip', content: { 'index.js': code } }];
  const { stateMachines } = await cloud.deploy(
    writeAssembly({ Resources: { Fragile, Machine } }, assets, 'Faults'),
  );
  cloud.lambdas.faults.kill({ functionName: 'Faults-Fragile', call: 1, afterMilliseconds: 0 });
  const machine = cloud.engine.stateMachines.get(stateMachines['Faults-Machine'] ?? '');
  if (!machine) throw new Error('The machine was not made.');
  const { executionArn } = cloud.engine.start(machine, 'run', {});
  expect(await cloud.engine.ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '"alive"' });
  const types = cloud.engine.events(executionArn).map(({ type }) => type);
  expect(types.filter((type) => type?.startsWith('LambdaFunction'))).toEqual([
    ...['LambdaFunctionScheduled', 'LambdaFunctionStarted', 'LambdaFunctionFailed'],
    ...['LambdaFunctionScheduled', 'LambdaFunctionStarted', 'LambdaFunctionSucceeded'],
  ]);
});

test('again: code is replaced, what the bucket holds stays', async () => {
  const { outputs } = await cloud.deploy(assembly(1));
  const s3 = new S3Client(configuration as never);
  await s3.send(new PutObjectCommand({ Bucket: 'test-runs', Key: 'kept', Body: 'x' }));
  await cloud.deploy(assembly(2));
  expect(await execute(outputs['MachineArn'] ?? '', {})).toMatchObject({ payload: { version: 2 } });
  expect((await cloud.deploy(assembly(2))).buckets).toEqual({ Runs: 'test-runs' });
});

test.each<[string, object, string]>([
  [
    'a function of another runtime',
    {
      Py: {
        Type: 'AWS::Lambda::Function',
        Properties: { Runtime: 'python3.12', Code: codeLocation('code.zip') },
      },
    },
    'Py: functions of runtime python3.12 are not supported.',
  ],
  [
    'code that is not in the assembly',
    {
      Fn: {
        Type: 'AWS::Lambda::Function',
        Properties: { Runtime: 'nodejs24.x', Code: codeLocation('none.zip') },
      },
    },
    'Fn: its code is not a folder of the assembly',
  ],
  [
    'an Express state machine',
    {
      Fast: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: { StateMachineType: 'EXPRESS', DefinitionString: '{}' },
      },
    },
    'Fast: state machines of type EXPRESS are not supported.',
  ],
  [
    'a placeholder that nothing stands for',
    {
      Gap: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: { DefinitionS3Location: assetLocation('machine.json'), DefinitionSubstitutions: {} },
      },
    },
    'Gap: nothing stands for ${StepFunctionArn} in its definition.',
  ],
])('%s is refused', async (_what, more, message) => {
  await expect(cloud.deploy(assembly(1, more))).rejects.toThrow(message);
});

test('a folder that is no assembly is refused with the next step', async () => {
  const folder = temporaryFolder('empty');
  await expect(cloud.deploy(folder)).rejects.toThrow('run "npx cdk synth" first');
  writeFileSync(path.join(folder, 'manifest.json'), '{"artifacts":{}}');
  await expect(cloud.deploy(folder)).rejects.toThrow('names no stack');
});
