import { readRecording } from '../../aws/steps/recordings';
import { checkUpdate, startUpdate } from '../../aws/steps/run-update';
import { commandState } from '../../aws/ssm/run-command';
import type { ClassUpdateDocument, PlanDocument } from '../../core/workflow/documents';
import { classUpdateKey, planKey } from '../../core/workflow/keys';
import { startTestServices, type TestServices } from '../support/aws-services';
import { RECORDER } from '../support/recorder-program';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices({ maxAttempts: 1 });
  const update = { name: 'u', kind: 'script', commands: ['do it'], timeoutSeconds: 900 };
  await services.documents.write(planKey('r'), { settings: { update } } as unknown as PlanDocument);
});
afterEach(() => services.close());

const INPUT = { run: 'r', classId: 'c', instanceId: 'i-1' };

test.each([
  [{ error: 'InvocationDoesNotExist' }, 'Pending'],
  [{ Status: 'Pending' }, 'Pending'],
  [{ Status: 'InProgress' }, 'InProgress'],
  [{ Status: 'Delayed' }, 'Delayed'],
  [{ Status: 'Cancelling' }, 'Cancelling'],
])('is not ended: %j', async (answer, status) => {
  services.runCommand.answers = [answer];
  expect(await commandState(services.ssm, 'command-1', 'i-1')).toEqual({ ended: false, status });
});

test.each([
  [{ Status: 'Success', ResponseCode: 0 }, true, 'Success', 0],
  [{ Status: 'Failed', StatusDetails: 'Failed', ResponseCode: 100 }, false, 'Failed', 100],
  [
    { Status: 'TimedOut', StatusDetails: 'ExecutionTimedOut', ResponseCode: 137 },
    false,
    'ExecutionTimedOut',
    137,
  ],
  [
    { Status: 'TimedOut', StatusDetails: 'DeliveryTimedOut', ResponseCode: -1 },
    false,
    'DeliveryTimedOut',
    -1,
  ],
  [{ Status: 'Cancelled', ResponseCode: -1 }, false, 'Cancelled', -1],
])('is ended: %j', async (answer, succeeded, status, exitCode) => {
  services.runCommand.answers = [answer];
  expect(await commandState(services.ssm, 'command-1', 'i-1')).toMatchObject({
    ended: true,
    succeeded,
    status,
    exitCode,
  });
});

test('an error that says nothing about the command is not taken for a state', async () => {
  services.runCommand.answers = [{ error: 'AccessDeniedException' }];
  await expect(commandState(services.ssm, 'command-1', 'i-1')).rejects.toThrow('AccessDenied');
});

test('the update is sent once, with its time, and its whole output goes to the bucket', async () => {
  const first = await startUpdate(services, INPUT, RECORDER);
  expect(await startUpdate(services, INPUT, RECORDER)).toEqual(first);
  expect(services.runCommand.sent).toEqual([
    {
      instanceId: 'i-1',
      commands: expect.arrayContaining(['do it', 'sync']),
      comment: 'imageelves r c: update',
    },
  ]);
  services.runCommand.answers = [
    { Status: 'InProgress' },
    { Status: 'Success', ResponseCode: 0, StandardOutputContent: 'done' },
  ];
  expect(await checkUpdate(services, { ...INPUT, ...first })).toEqual({ done: false, status: 'InProgress' });
  expect(await checkUpdate(services, { ...INPUT, ...first })).toEqual({ done: true, status: 'Success' });
  expect(await services.documents.read<ClassUpdateDocument>(classUpdateKey('r', 'c', 'i-1'))).toMatchObject({
    status: 'Success',
    exitCode: 0,
    outputTail: 'done',
    outputPrefix: 'runs/r/classes/c/output',
  });
});

test('an update that is a document is sent as it is, with one snapshot of the patch baseline for the whole run', async () => {
  const document = {
    name: 'AWS-RunPatchBaseline',
    version: '7',
    parameters: { Operation: ['Install'], RebootOption: ['NoReboot'] },
  };
  const update = { name: 'u', kind: 'document', document };
  await services.documents.write(planKey('r'), { settings: { update } } as unknown as PlanDocument);
  const { commandId } = await startUpdate(services, INPUT, RECORDER);
  const [sent] = services.runCommand.sent;
  const SnapshotId = [
    expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  ];
  expect(sent).toEqual({
    ...{ instanceId: 'i-1', commands: [], comment: 'imageelves r c: update' },
    document: { ...document, parameters: { ...document.parameters, SnapshotId } },
  });
  await startUpdate(services, { ...INPUT, instanceId: 'i-2' }, RECORDER);
  expect(services.runCommand.sent[1]?.document).toEqual(sent?.document);

  services.runCommand.answers = [
    { Status: 'InProgress' },
    {
      Status: 'Failed',
      CommandPlugins: [
        { ResponseCode: 0, Output: 'first\n' },
        { ResponseCode: 7, Output: 'second\n' },
      ],
    },
  ];
  const check = (): Promise<unknown> => checkUpdate(services, { ...INPUT, commandId });
  expect(await check()).toEqual({ done: false, status: 'InProgress' });
  await expect(check()).rejects.toMatchObject({
    name: 'UpdateFailedError',
    facts: { exitCode: 7, outputTail: 'first\nsecond\n' },
  });
  expect(await readRecording(services.documents, 'r', 'c', 'i-1')).toMatchObject({
    lost: true,
    warnings: [expect.stringContaining('AWS-RunPatchBaseline, which runs without the recorder')],
  });
});

test('an update whose answer was lost is found, and not sent again', async () => {
  services.runCommand.losesAnswers = true;
  await expect(startUpdate(services, INPUT, RECORDER)).rejects.toMatchObject({ name: 'TimeoutError' });
  services.runCommand.losesAnswers = false;
  expect(await startUpdate(services, INPUT, RECORDER)).toEqual({ commandId: 'command-1' });
  expect(services.runCommand.sent).toHaveLength(1);
});

test('an update that failed is an error with its exit code, its last words and where the rest is', async () => {
  const { commandId } = await startUpdate(services, INPUT, RECORDER);
  services.runCommand.answers = [
    {
      Status: 'Failed',
      ResponseCode: 100,
      StandardOutputContent: 'a\nb',
      StandardErrorContent: 'E: no space\n',
    },
  ];
  await expect(checkUpdate(services, { ...INPUT, commandId })).rejects.toMatchObject({
    name: 'UpdateFailedError',
    message: expect.stringMatching(/exit code 100.*i-1: E: no space/),
    facts: {
      exitCode: 100,
      outputTail: 'a\nb\nE: no space\n',
      outputKey: expect.stringContaining('runs/r/classes/c/output'),
    },
  });
});
