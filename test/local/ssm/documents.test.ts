import { runningInstance } from '../aws-behaviour/fleet';
import { TestCloud } from '../aws-behaviour/test-cloud';

/** Two scripts with parameters, and a step for another platform. */
const HARDEN = {
  schemaVersion: '2.2',
  description: 'Sets a banner and restarts services.',
  parameters: {
    banner: { type: 'String', allowedPattern: '^[a-z ]+$' },
    services: { type: 'StringList', default: ['systemctl restart ssh', 'systemctl restart cron'] },
    level: { type: 'String', default: 'low', allowedValues: ['low', 'high'] },
  },
  mainSteps: [
    {
      action: 'aws:runPowerShellScript',
      name: 'onWindows',
      precondition: { StringEquals: ['platformType', 'Windows'] },
      inputs: { runCommand: ['exit 1'] },
    },
    {
      action: 'aws:runShellScript',
      name: 'banner',
      precondition: { StringEquals: ['platformType', 'Linux'] },
      inputs: {
        runCommand: ['echo "{{ banner }}" > issue', 'echo {{level}}'],
        workingDirectory: '/etc',
        timeoutSeconds: '60',
      },
    },
    { action: 'aws:runShellScript', name: 'restart', inputs: { runCommand: ['set -e', '{{ services }}'] } },
  ],
};

let cloud: TestCloud;
let instanceId: string;
let scripts: string[];
let failing: string;

beforeEach(async () => {
  scripts = [];
  failing = 'never';
  cloud = await TestCloud.open({
    script: (_, script) => {
      scripts.push(script);
      const exitCode = script.includes(failing) ? 3 : 0;
      return { exitCode, stdout: `out ${scripts.length}\n`, stderr: '', timedOut: false };
    },
  });
  ({ instanceId } = await runningInstance(cloud));
});

const create = (content: object = HARDEN, other: object = {}) =>
  cloud.ssm('CreateDocument', { Name: 'harden', Content: JSON.stringify(content), ...other });

const send = (parameters: object, other: object = {}) =>
  cloud.ssm('SendCommand', {
    DocumentName: 'harden',
    InstanceIds: [instanceId],
    Parameters: parameters,
    ...other,
  });

async function run(parameters: object, other: object = {}): Promise<string> {
  const { output } = await send(parameters, other);
  await cloud.clock.advance(5000);
  return (output['Command'] as { CommandId: string }).CommandId;
}

const plugins = async (CommandId: string) => {
  const { output } = await cloud.ssm('ListCommandInvocations', { CommandId, Details: true });
  return (output['CommandInvocations'] as { Status: string; CommandPlugins: object[] }[])[0];
};

test('a document is kept, given back and deleted', async () => {
  expect((await create()).output['DocumentDescription']).toMatchObject({
    Name: 'harden',
    DocumentVersion: '1',
    SchemaVersion: '2.2',
  });
  expect((await create()).code).toBe('DocumentAlreadyExists');
  const { output } = await cloud.ssm('GetDocument', { Name: 'harden' });
  expect(JSON.parse(String(output['Content']))).toEqual(HARDEN);
  await cloud.must('ssm', 'DeleteDocument', { Name: 'harden' });
  expect((await cloud.ssm('GetDocument', { Name: 'harden' })).code).toBe('InvalidDocument');
  expect((await send({ banner: 'x' })).code).toBe('InvalidDocument');
});

test('its steps for Linux are run one after the other, with the parameters in them', async () => {
  await create();
  const commandId = await run({ banner: ['keep out'], level: ['high'] }, { OutputS3BucketName: 'outputs' });
  expect(scripts).toEqual([
    '#!/bin/sh\ncd \'/etc\' || exit 1\necho "keep out" > issue\necho high\n',
    '#!/bin/sh\nset -e\nsystemctl restart ssh\nsystemctl restart cron\n',
  ]);
  expect(await plugins(commandId)).toMatchObject({
    Status: 'Success',
    CommandPlugins: [
      { Name: 'banner', Status: 'Success', ResponseCode: 0, Output: 'out 1\n' },
      { Name: 'restart', Status: 'Success', ResponseCode: 0, Output: 'out 2\n' },
    ],
  });
  expect([...cloud.written.keys()]).toEqual([
    `outputs/${commandId}/${instanceId}/awsrunShellScript/banner/stdout`,
    `outputs/${commandId}/${instanceId}/awsrunShellScript/restart/stdout`,
  ]);
});

test('of several steps GetCommandInvocation tells one, by its name', async () => {
  await create();
  const one = { CommandId: await run({ banner: ['x'] }), InstanceId: instanceId };
  expect((await cloud.ssm('GetCommandInvocation', one)).code).toBe('InvalidPluginName');
  const named = await cloud.ssm('GetCommandInvocation', { ...one, PluginName: 'restart' });
  expect(named.output).toMatchObject({ PluginName: 'restart', StandardOutputContent: 'out 2\n' });
});

test.each([
  ['goes on', undefined, 2],
  ['ends there, where the step says so', 'exit', 1],
])('after a step that failed it %s, and has failed', async (_, onFailure, times) => {
  const [windows, banner, restart] = HARDEN.mainSteps;
  const inputs = { ...banner!.inputs, ...(onFailure && { onFailure }) };
  await create({ ...HARDEN, mainSteps: [windows, { ...banner, inputs }, restart] });
  failing = 'issue';
  const commandId = await run({ banner: ['x'] });
  expect(scripts).toHaveLength(times);
  expect(await plugins(commandId)).toMatchObject({
    Status: 'Failed',
    CommandPlugins: [{ ResponseCode: 3 }, {}],
  });
});

test.each([
  ['one that the document does not have', { banner: ['x'], colour: ['red'] }],
  ['none where there is no default', {}],
  ['a value that is not allowed', { banner: ['x'], level: ['middle'] }],
  ['a value of another pattern', { banner: ['X'] }],
  ['two values of one', { banner: ['x', 'y'] }],
])('parameters are refused: %s', async (_, parameters) => {
  await create();
  expect((await send(parameters)).code).toBe('InvalidParameters');
  expect((await send({ banner: ['x'] }, { DocumentVersion: '2' })).code).toBe('InvalidDocumentVersion');
});

test.each([
  ['no JSON', '{', 'InvalidDocumentContent'],
  ['another schema', { ...HARDEN, schemaVersion: '0.3' }, 'InvalidDocumentSchemaVersion'],
  ['no steps', { schemaVersion: '2.2', mainSteps: [] }, 'InvalidDocumentContent'],
  [
    'a step that is not emulated',
    { ...HARDEN, mainSteps: [{ action: 'aws:applications', name: 'install', inputs: {} }] },
    'InvalidDocumentContent',
  ],
  [
    'a parameter that is not emulated',
    { ...HARDEN, parameters: { more: { type: 'StringMap' } } },
    'InvalidDocumentContent',
  ],
])('a document is refused: %s', async (_, content, code) => {
  const Content = typeof content === 'string' ? content : JSON.stringify(content);
  expect((await create({}, { Content })).code).toBe(code);
  expect((await create(HARDEN, { Name: 'AWS-Harden' })).code).toBe('ValidationException');
});
