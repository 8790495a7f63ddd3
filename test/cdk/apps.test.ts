import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { fakeBundles, fakeImage } from '../support/fake-bundles';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.join(__dirname, '..', '..');
const tsx = path.join(root, 'node_modules', '.bin', 'tsx');
const folders = { bundlesFolder: fakeBundles(), imageFolder: fakeImage() };

interface Synthesized {
  readonly Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

/** Runs an app as the CDK command does, with no credentials and nothing but its context. */
async function synthesize(file: string, stack: string, context: object = {}): Promise<Synthesized> {
  const outdir = temporaryFolder('cdk-out');
  await promisify(execFile)(tsx, [path.join(root, file)], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...folders, ...context }),
    },
  });
  return JSON.parse(readFileSync(path.join(outdir, `${stack}.template.json`), 'utf8')) as Synthesized;
}

const ofType = ({ Resources }: Synthesized, type: string) =>
  Object.values(Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);

jest.setTimeout(120_000);

test('the app synthesizes with its own context and passes cdk-nag', async () => {
  const { context } = JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8')) as { context: object };
  const template = await synthesize('cdk/app.ts', 'ImageElves', context);
  expect(ofType(template, 'AWS::StepFunctions::StateMachine')).toHaveLength(6);
  // That of the housekeeping.
  expect(ofType(template, 'AWS::Scheduler::Schedule')).toMatchObject([{ ScheduleExpression: 'rate(1 day)' }]);
});

test('the app takes settings from the command line, as text', async () => {
  const template = await synthesize('cdk/app.ts', 'ImageElves', {
    targets: '{"tags": {"PatchGroup": "web"}}',
    updates: '[{"name": "motd", "kind": "script", "commands": ["date > /etc/motd"]}]',
    schedules: '{"daily": {"expression": "rate(12 hours)", "input": {"update": "motd"}}}',
    housekeeping: '{"schedule": "rate(2 days)"}',
    cloneVpcId: 'vpc-0123456789abcdef0',
    cloneSubnetId: 'subnet-0123456789abcdef0',
    cloneInstanceType: 't4g.small',
    kernelEngine: 'false',
  });
  for (const { PackageType } of ofType(template, 'AWS::Lambda::Function'))
    expect(PackageType).toBeUndefined();
  const expressions = ofType(template, 'AWS::Scheduler::Schedule').map((one) => one['ScheduleExpression']);
  expect(expressions.sort()).toEqual(['rate(12 hours)', 'rate(2 days)']);
  expect(ofType(template, 'AWS::EC2::SecurityGroup')).toMatchObject([{ VpcId: 'vpc-0123456789abcdef0' }]);
});

test('the app says what is wrong with its settings', async () => {
  await expect(
    synthesize('cdk/app.ts', 'ImageElves', { cloneVpcId: 'vpc-0123456789abcdef0' }),
  ).rejects.toThrow(/cloneVpcId and cloneSubnetId belong together/);
  await expect(synthesize('cdk/app.ts', 'ImageElves', { kernelEngine: 'no' })).rejects.toThrow(
    /kernelEngine: "no" is neither true nor false/,
  );
});

test('the example synthesizes', async () => {
  const template = await synthesize('examples/two-fleets/app.ts', 'TwoFleets');
  expect(ofType(template, 'AWS::Scheduler::Schedule')).toHaveLength(3);
  expect(ofType(template, 'AWS::SNS::Subscription')).toMatchObject([{ Endpoint: 'operations@example.com' }]);
});
