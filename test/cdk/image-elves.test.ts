import { Duration } from 'aws-cdk-lib';
import { Capture, Match } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { type Step, STEPS } from '../../core/workflow/steps';
import { definitionFiles } from '../support/definitions';
import { cloneNetwork, synthesized } from '../support/synthesized';

const template = synthesized((stack) => ({ clones: cloneNetwork(stack) }));

describe('the bucket', () => {
  test('is blocked for the public, encrypted with a key that rotates, versioned, and takes TLS only', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
        ],
      },
      VersioningConfiguration: { Status: 'Enabled' },
    });
    template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });

  test('outlives its stack, and so does its key', () => {
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain' });
    template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain' });
  });

  test('lets the documents of runs expire, and never a pack by its age', () => {
    const rules = new Capture();
    template.hasResourceProperties('AWS::S3::Bucket', { LifecycleConfiguration: { Rules: rules } });
    const expiring = (rules.asArray() as { Prefix?: string; ExpirationInDays?: number }[]).filter(
      ({ ExpirationInDays }) => ExpirationInDays !== undefined,
    );
    expect(expiring).toMatchObject([
      { Prefix: 'runs/', ExpirationInDays: 365 },
      { Prefix: 'housekeeping/', ExpirationInDays: 365 },
      { Prefix: 'memory/', ExpirationInDays: 365 },
    ]);
  });
});

describe('functions', () => {
  const common = ({ description, timeoutSeconds, memoryMb, variables }: Step) => ({
    Description: description,
    MemorySize: memoryMb,
    Timeout: timeoutSeconds,
    TracingConfig: { Mode: 'Active' },
    LoggingConfig: Match.objectLike({ LogFormat: 'JSON' }),
    Environment: {
      Variables: Match.objectLike(
        Object.fromEntries(
          ['BUCKET_NAME', ...variables.filter((name) => name !== 'CLONE_INSTANCE_TYPE')].map((name) => [
            name,
            Match.anyValue(),
          ]),
        ),
      ),
    },
  });
  const bundled = { Architectures: ['arm64'], Runtime: 'nodejs24.x', Handler: 'index.handler' };
  const inImage = ({ name }: Step) => ({
    Architectures: ['x86_64'],
    PackageType: 'Image',
    ImageConfig: { Command: [`functions/${name}/index.handler`] },
    Runtime: Match.absent(),
    Handler: Match.absent(),
  });

  test.each(STEPS as readonly Step[])('$name', (step) =>
    template.hasResourceProperties('AWS::Lambda::Function', {
      ...common(step),
      ...(step.opensImages ? inImage(step) : bundled),
    }),
  );

  test('that open images share one image', () => {
    const functions = Object.values(template.findResources('AWS::Lambda::Function'));
    const images = functions.flatMap(({ Properties }) => Properties.Code.ImageUri ?? []) as object[];
    expect(images).toHaveLength((STEPS as readonly Step[]).filter(({ opensImages }) => opensImages).length);
    expect(new Set(images.map((uri) => JSON.stringify(uri))).size).toBe(1);
  });

  test('are all bundles without the kernel engine', () => {
    const without = synthesized(() => ({ kernelEngine: false }));
    without.allResourcesProperties('AWS::Lambda::Function', bundled);
  });

  test('have no variable that steps.ts does not name', () => {
    const functions = template.findResources('AWS::Lambda::Function');
    for (const { Properties } of Object.values(functions)) {
      const step = (STEPS as readonly Step[]).find(
        ({ description }) => description === Properties.Description,
      );
      for (const name of Object.keys(Properties.Environment.Variables as object)) {
        expect(['BUCKET_NAME', ...(step?.variables ?? [])]).toContain(name);
      }
    }
    expect(Object.keys(functions)).toHaveLength(STEPS.length);
  });

  test('have a role and a log group each, kept for three months', () => {
    const functions = Object.values(template.findResources('AWS::Lambda::Function'));
    const distinct = (values: unknown[]): number =>
      new Set(values.map((value) => JSON.stringify(value))).size;
    expect(distinct(functions.map(({ Properties }) => Properties.Role))).toBe(STEPS.length);
    expect(distinct(functions.map(({ Properties }) => Properties.LoggingConfig.LogGroup))).toBe(STEPS.length);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
  });
});

describe('state machines', () => {
  const machines = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));

  test('are one for each file, logged in full and traced', () => {
    expect(machines).toHaveLength(definitionFiles().length);
    template.allResourcesProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: { IncludeExecutionData: true, Level: 'ALL' },
      TracingConfiguration: { Enabled: true },
    });
  });

  test('may invoke the functions that their files name, and no others', () => {
    const policies = Object.values(template.findResources('AWS::IAM::Policy'));
    for (const { Properties } of machines) {
      const substituted = Object.entries(Properties.DefinitionSubstitutions as Record<string, unknown>)
        .filter(([name]) => name.endsWith('FunctionArn'))
        .map(([, value]) => JSON.stringify(value));
      const role = Properties.RoleArn['Fn::GetAtt'][0] as string;
      const invoked = policies
        .filter((policy) => JSON.stringify(policy.Properties.Roles).includes(`"${role}"`))
        .flatMap((policy) => policy.Properties.PolicyDocument.Statement as Statement[])
        .filter(({ Action }) => Action === 'lambda:InvokeFunction')
        .flatMap(({ Resource }) => (Array.isArray(Resource) ? Resource : [Resource]))
        .map((resource) => JSON.stringify(resource));
      expect(invoked.sort()).toEqual(substituted.sort());
    }
  });
});

test('outputs name what a person needs', () => {
  for (const name of [
    'PatchFleetStateMachineArn',
    'RollBackRunStateMachineArn',
    'KeepHouseStateMachineArn',
    'RunBucketName',
  ]) {
    template.hasOutput(name, { Value: Match.anyValue() });
  }
});

describe('clones', () => {
  test('start in a security group that lets nothing in', () => {
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: Match.absent(),
      SecurityGroupEgress: [
        Match.objectLike({ FromPort: 443 }),
        Match.objectLike({ FromPort: 80 }),
        Match.objectLike({ FromPort: 53, IpProtocol: 'udp' }),
      ],
    });
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
  });

  test('are not launched without a network: no group, no profile, no variables, no right', () => {
    const without = synthesized();
    without.resourceCountIs('AWS::EC2::SecurityGroup', 0);
    without.resourceCountIs('AWS::IAM::InstanceProfile', 0);
    expect(JSON.stringify(without.toJSON())).not.toMatch(/ec2:RunInstances|CLONE_SUBNET_ID/);
  });
});

describe('schedules', () => {
  const scheduled = synthesized(() => ({
    schedules: {
      weekly: {
        expression: 'cron(0 3 ? * SUN *)',
        timeZone: 'Europe/Berlin',
        input: { update: 'security', maxConcurrency: 100 },
      },
    },
  }));

  test('start the run with their input, and leave what could not start in a queue', () => {
    scheduled.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0 3 ? * SUN *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      State: 'ENABLED',
      Target: {
        Arn: { Ref: Match.stringLikeRegexp('PatchFleet') },
        Input: '{"update":"security","maxConcurrency":100}',
        DeadLetterConfig: { Arn: Match.anyValue() },
      },
    });
  });

  test('are none by default but that of the housekeeping', () => {
    template.resourceCountIs('AWS::Scheduler::Schedule', 1);
  });
});

describe('housekeeping', () => {
  const schedule = (props: object) => ({
    ScheduleExpression: 'rate(1 day)',
    State: 'ENABLED',
    Target: { Arn: { Ref: Match.stringLikeRegexp('KeepHouse') }, DeadLetterConfig: Match.anyValue() },
    ...props,
  });

  test('is done every day', () => template.hasResourceProperties('AWS::Scheduler::Schedule', schedule({})));

  test('is done when it is said, or not at all', () => {
    const given = synthesized(() => ({ housekeeping: { schedule: 'cron(30 5 * * ? *)', enabled: false } }));
    given.hasResourceProperties(
      'AWS::Scheduler::Schedule',
      schedule({ ScheduleExpression: 'cron(30 5 * * ? *)', State: 'DISABLED' }),
    );
  });
});

describe('alarms', () => {
  test('are there without a topic, and tell it when there is one', () => {
    template.resourceCountIs('AWS::CloudWatch::Alarm', 5);
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: Match.absent() });
    const told = synthesized((stack) => ({ alarmTopic: new sns.Topic(stack, 'Topic') }));
    told.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [{ Ref: Match.stringLikeRegexp('Topic') }],
    });
  });
});

test('retention and keys are as given', () => {
  const given = synthesized((stack) => ({
    encryptionKey: new kms.Key(stack, 'Mine'),
    documentRetention: Duration.days(30),
    logRetention: logs.RetentionDays.ONE_WEEK,
  }));
  given.resourceCountIs('AWS::KMS::Key', 1);
  given.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
  given.hasResourceProperties('AWS::S3::Bucket', {
    LifecycleConfiguration: { Rules: Match.arrayWith([Match.objectLike({ ExpirationInDays: 30 })]) },
  });
});

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}
