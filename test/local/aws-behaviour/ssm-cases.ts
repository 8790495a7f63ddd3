import type { RunResult } from '../../../local/instances';
import { expectAnswer, type Case, type Cases } from './expectations';
import { runningInstance, stoppedInstance } from './fleet';
import type { Answer, TestCloud } from './test-cloud';
import type { Bindings } from './vector';

const DOCUMENT = 'AWS-RunShellScript';
const UNKNOWN = '01234567-89ab-4cde-8f01-23456789abcd';

/** What scripts of these tests do, by their text. */
export function script(_instanceId: string, text: string): Promise<RunResult> | RunResult {
  const result = (exitCode: number, stdout = '', stderr = '', timedOut = false) => ({
    exitCode,
    stdout,
    stderr,
    timedOut,
  });
  if (text.includes('hang')) return new Promise(() => undefined);
  if (text.includes('fail')) return result(7, 'failed-stdout\n', 'failed-stderr\n');
  if (text.includes('sleep')) return result(137, '', '', true);
  return result(0, 'out\n', text.includes('err') ? 'err\n' : '');
}

const running = async (cloud: TestCloud): Promise<Bindings> => ({
  I: (await runningInstance(cloud)).instanceId,
  region: 'us-east-1',
});
const stopped = async (cloud: TestCloud): Promise<Bindings> => ({
  I: (await stoppedInstance(cloud)).instanceId,
});

const sendInput = (instanceId: string | undefined, commands: string, other: object = {}) => ({
  DocumentName: DOCUMENT,
  InstanceIds: [instanceId],
  Parameters: { commands: [commands] },
  ...other,
});

async function send(
  cloud: TestCloud,
  instanceId: string | undefined,
  commands: string,
  other: object = {},
): Promise<string> {
  const { Command } = await cloud.must('ssm', 'SendCommand', sendInput(instanceId, commands, other));
  await cloud.clock.advance(1000);
  return (Command as { CommandId: string }).CommandId;
}

/** A SendCommand with the vector's members over a good one. */
const sending: Case = {
  given: running,
  input: ({ I }, { when }) => sendInput(I, 'true', when.input),
};

const sentTo =
  (commands: string, other?: object) =>
  async (cloud: TestCloud): Promise<Bindings> => {
    const { I = '' } = await running(cloud);
    return { I, cmd: await send(cloud, I, commands, other) };
  };

const invocation = (cloud: TestCloud, { cmd, I }: Bindings): Promise<Answer> =>
  cloud.ssm('GetCommandInvocation', { CommandId: cmd, InstanceId: I });

export const SSM_CASES: Cases = {
  'ssm-001': {
    given: running,
    check({ body }, cloud, { I }) {
      const { Command } = JSON.parse(body) as { Command: Record<string, unknown> };
      const { CommandId, ExpiresAfter, RequestedDateTime, ...rest } = Command;
      expect(CommandId).toMatch(/^[0-9a-f-]{36}$/);
      expect(RequestedDateTime).toBe(cloud.clock.now().getTime() / 1000);
      expect(ExpiresAfter).toBe(Number(RequestedDateTime) + 40);
      expect(rest).toEqual({
        DocumentName: DOCUMENT,
        DocumentVersion: '$DEFAULT',
        Comment: '',
        Parameters: { commands: ['...'], executionTimeout: ['10'] },
        InstanceIds: [I],
        Targets: [],
        Status: 'Pending',
        StatusDetails: 'Pending',
        OutputS3Region: 'us-east-1',
        OutputS3BucketName: '',
        OutputS3KeyPrefix: '',
        MaxConcurrency: '50',
        MaxErrors: '0',
        TargetCount: 1,
        CompletedCount: 0,
        ErrorCount: 0,
        DeliveryTimedOutCount: 0,
        ServiceRole: '',
        NotificationConfig: { NotificationArn: '', NotificationEvents: [], NotificationType: '' },
        CloudWatchOutputConfig: { CloudWatchLogGroupName: '', CloudWatchOutputEnabled: false },
        TimeoutSeconds: 30,
        AlarmConfiguration: { IgnorePollAlarmFailure: false, Alarms: [] },
        TriggeredAlarms: [],
      });
    },
  },
  'ssm-002': {
    async whole(cloud, { then }) {
      const { I } = await running(cloud);
      const seen: Record<string, number> = {};
      for (const [name, timeout, execution] of [
        ['30,10', 30, '10'],
        ['120,10', 120, '10'],
        ['30,5', 30, '5'],
        ['30, executionTimeout omitted', 30, undefined],
      ] as const) {
        const { Command } = await cloud.must('ssm', 'SendCommand', {
          ...sendInput(I, 'true'),
          TimeoutSeconds: timeout,
          Parameters: {
            commands: ['true'],
            ...(execution === undefined ? {} : { executionTimeout: [execution] }),
          },
        });
        const { ExpiresAfter, RequestedDateTime } = Command as {
          ExpiresAfter: Date;
          RequestedDateTime: Date;
        };
        seen[name] = (ExpiresAfter.getTime() - RequestedDateTime.getTime()) / 1000;
      }
      expect(seen).toEqual(then.fields?.['ExpiresAfter - RequestedDateTime']);
    },
  },
  'ssm-003': {
    async given(cloud) {
      const { I = '' } = await running(cloud);
      const { Command } = await cloud.must('ssm', 'SendCommand', sendInput(I, 'hang'));
      await cloud.clock.advance(100);
      return { I, cmd: (Command as { CommandId: string }).CommandId };
    },
    check({ body }) {
      const answer = JSON.parse(body) as object;
      expect(answer).toMatchObject({
        Status: 'InProgress',
        StatusDetails: 'InProgress',
        ResponseCode: -1,
        PluginName: 'aws:runShellScript',
        ExecutionEndDateTime: '',
        StandardOutputContent: '',
        StandardErrorContent: '',
        StandardOutputUrl: '',
        StandardErrorUrl: '',
      });
      expect(answer).not.toHaveProperty('ExecutionStartDateTime');
      expect(answer).not.toHaveProperty('ExecutionElapsedTime');
    },
  },
  'ssm-004': {
    async whole(cloud) {
      const { I = '' } = await running(cloud);
      const { Command } = await cloud.must('ssm', 'SendCommand', sendInput(I, 'true'));
      const bindings = { I, cmd: (Command as { CommandId: string }).CommandId };
      await cloud.clock.advance(4);
      expect(await invocation(cloud, bindings)).toMatchObject({
        status: 400,
        code: 'InvocationDoesNotExist',
        message: `Invocation not found for ${bindings.cmd}, ${I}`,
      });
      await cloud.clock.advance(3000);
      expect((await invocation(cloud, bindings)).output).toMatchObject({ Status: 'Success' });
    },
  },
  'ssm-005': { given: async (cloud) => ({ ...(await running(cloud)), unknown: UNKNOWN }) },
  'ssm-006': {
    given: sentTo('true'),
    input: ({ cmd, I }) => ({ CommandId: cmd, InstanceId: I, PluginName: 'notAPlugin' }),
  },
  'ssm-010': {
    given: sentTo('fail'),
    async check({ output }, cloud, bindings) {
      expect(
        (output['CommandInvocations'] as { CommandPlugins: unknown[] }[])[0]?.CommandPlugins[0],
      ).toMatchObject({
        Name: 'aws:runShellScript',
        Status: 'Failed',
        ResponseCode: 7,
        Output:
          'failed-stdout\n\n----------ERROR-------\nfailed-stderr\nfailed to run commands: exit status 7',
      });
      expect((await invocation(cloud, bindings)).output).toMatchObject({ Status: 'Failed', ResponseCode: 7 });
    },
  },
  'ssm-014': {
    given: sentTo('sleep 20', { Parameters: { commands: ['sleep 20'], executionTimeout: ['5'] } }),
    async check({ output }, cloud, bindings) {
      expect((output['Commands'] as unknown[])[0]).toMatchObject({
        Status: 'Failed',
        StatusDetails: 'Failed',
        CompletedCount: 1,
        ErrorCount: 1,
      });
      expect((await invocation(cloud, bindings)).output).toMatchObject({
        Status: 'TimedOut',
        StatusDetails: 'ExecutionTimedOut',
        ResponseCode: 137,
      });
    },
  },
  'ssm-015': {
    async whole(cloud) {
      const seen: number[] = [];
      const { I } = await running(cloud);
      const { run } = cloud.machines;
      cloud.machines.run = (instanceId, text, options) => {
        seen.push(options.timeoutMs);
        return run.call(cloud.machines, instanceId, text, options);
      };
      await send(cloud, I, 'true', { Parameters: { commands: ['true'], executionTimeout: ['2'] } });
      await send(cloud, I, 'true', { Parameters: { commands: ['true'], executionTimeout: ['5'] } });
      expect(seen).toEqual([3_600_000, 5_000]);
    },
  },
  'ssm-021': { given: () => ({ unknownUuid: UNKNOWN }) },
  'ssm-023': {
    async whole(cloud, vector) {
      for (const operation of ['ListCommands', 'ListCommandInvocations']) {
        const answer = await cloud.ssm(operation, { CommandId: UNKNOWN });
        expectAnswer(answer, vector, {});
        expect(Object.values(JSON.parse(answer.body) as object)).toEqual([[]]);
      }
    },
  },
  'ssm-024': {
    async whole(cloud) {
      const answer = await cloud.ssm('GetCommandInvocation', { CommandId: UNKNOWN, InstanceId: 'invalid' });
      expect(answer).toMatchObject({ status: 400, code: 'ValidationException' });
      expect(answer.message).toMatch(
        /^2 validation errors detected: .*length greater than or equal to 10.*pattern: \(\^i-/,
      );
    },
  },
  'ssm-025': sending,
  'ssm-026': sending,
  'ssm-027': sending,
  'ssm-028': sending,
  'ssm-030': {
    given: stopped,
    input: ({ I }) => sendInput(I, 'true'),
    check: ({ body }) =>
      expect(JSON.parse(body)).toHaveProperty('Message', 'Instances not in a valid state for account'),
  },
  'ssm-031': {
    given: stopped,
    check: ({ body }) => expect(JSON.parse(body)).toEqual({ InstanceInformationList: [] }),
  },
  'ssm-034': {
    async whole(cloud) {
      const { I = '' } = await running(cloud);
      const cmd = await send(cloud, I, 'err', { OutputS3BucketName: 'b', OutputS3KeyPrefix: 'p' });
      const folder = `p/${cmd}/${I}/awsrunShellScript/0.awsrunShellScript`;
      expect([...cloud.written]).toEqual([
        [`b/${folder}/stdout`, 'out\n'],
        [`b/${folder}/stderr`, 'err\n'],
      ]);
      expect((await invocation(cloud, { cmd, I })).output).toMatchObject({
        StandardOutputUrl: `https://s3.us-east-1.amazonaws.com/b/${folder}/stdout`,
      });
    },
  },
  'ssm-035': {},
  'ssm-037': {
    input: () => ({
      Filters: [{ Key: 'InstanceIds', Values: ['i-0123456789abcdef0'] }],
      InstanceInformationFilterList: [{ key: 'InstanceIds', valueSet: ['i-0123456789abcdef0'] }],
    }),
  },
  'ssm-039': {
    // The SDK has a text of its own for an empty one, so the answer is read as it was sent.
    async whole(cloud, { then }) {
      const answer = await cloud.ssm('DescribeInstanceInformation', { NextToken: 'bad' });
      expect(answer).toMatchObject({ status: then.status, code: then.code });
      expect(JSON.parse(answer.body)).toMatchObject({ message: then.message });
    },
  },
  'ssm-040': { fields: true },
};

export const SSM_NOT_HELD: Readonly<Record<string, string>> = {
  'ssm-041':
    'a running machine’s agent always answers, so Delayed and DeliveryTimedOut are never told; the others are',
};

export const SSM_NOT_SERVED: Readonly<Record<string, string>> = {
  'ssm-007': 'no documents but AWS-RunShellScript',
  'ssm-016': 'the agent is emulated: it cannot be stopped while its machine runs',
  'ssm-017': 'the agent is emulated: it cannot be stopped while its machine runs',
  'ssm-018': 'the agent is emulated: it cannot be stopped while its machine runs',
  'ssm-042': 'no documents but AWS-RunShellScript',
};
