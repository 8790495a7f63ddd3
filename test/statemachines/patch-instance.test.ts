import { throwing } from '../local/states/engine-under-test';
import { workflowUnderTest } from './workflow-under-test';

const fleet = { targets: ['i-1', 'i-2', 'i-3'], rounds: [] };
const member = {
  run: 'run-1',
  classId: 'c1',
  instanceId: 'i-1',
  manifestKey: 'manifest',
  manifestDigest: 'sha256:m',
};
type Own = Parameters<typeof workflowUnderTest>[1];

/** One machine with the given steps of its own; gives the steps that were called, swaps with their direction. */
async function patched(own: Own, more: object = {}) {
  const workflow = workflowUnderTest(fleet, own);
  const ended = await workflow.run('patch-instance', { ...member, ...more });
  const steps = workflow.calls.map(({ step, input }) =>
    step === 'swap-volume' ? `swap-volume ${String(input['direction'])}` : step,
  );
  return { ...ended, steps, workflow };
}

const TO_VOLUME = ['take-lease', 'apply-manifest', 'create-volume'];
const PUT_BACK = ['swap-volume back', 'record-failure', 'release-lease'];

test('a machine is patched, checked and released', async () => {
  const { status, output, steps, workflow } = await patched({});
  expect(status).toBe('SUCCEEDED');
  expect(output).toEqual({ instanceId: 'i-1', snapshotId: 'snap-1', putBlocks: 3, getBlocks: 9 });
  expect(steps).toEqual([...TO_VOLUME, 'swap-volume forward', 'verify-instance', 'release-lease']);
  expect(workflow.inputs('apply-manifest')).toEqual([member]);
  expect(workflow.inputs('release-lease')).toMatchObject([{ outcome: 'patched' }]);
});

test.each([
  ['apply-manifest', ['take-lease', 'apply-manifest', ...PUT_BACK], 'Apply manifest'],
  ['create-volume', [...TO_VOLUME, ...PUT_BACK], 'Create volume'],
  [
    'verify-instance',
    [...TO_VOLUME, 'swap-volume forward', 'verify-instance', ...PUT_BACK],
    'Verify instance',
  ],
] as const)(
  'when %s fails the old volume is put back and the lease released',
  async (step, expected, name) => {
    const { status, error, cause, steps, workflow } = await patched({
      [step]: () => throwing('SomeError', 'why'),
    });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'PatchFailedError' });
    expect(cause).toMatch(new RegExp(`^i-1 was not patched. ${name}: SomeError: .*why`));
    expect(steps).toEqual(expected);
    expect(workflow.inputs('record-failure')).toMatchObject([
      { step: name, instanceId: 'i-1', classId: 'c1' },
    ]);
    expect(workflow.inputs('release-lease')).toMatchObject([{ outcome: 'failed' }]);
  },
);

test('a machine that was started meanwhile gets its old volume back', async () => {
  const { steps, workflow } = await patched({
    'swap-volume': ({ direction }: { direction: string }) =>
      direction === 'forward' ? throwing('InstanceStartedError') : { done: true, state: 'back' },
  });
  expect(steps).toEqual([...TO_VOLUME, 'swap-volume forward', ...PUT_BACK]);
  expect(workflow.inputs('record-failure')).toMatchObject([{ error: { Error: 'InstanceStartedError' } }]);
});

test.each(['LeaseHeldError', 'TooManyFailuresError'])(
  '%s: nothing is touched, put back or released',
  async (name) => {
    const { status, steps } = await patched({ 'take-lease': () => throwing(name) });
    expect(status).toBe('FAILED');
    expect(steps).toEqual(['take-lease', 'record-failure']);
  },
);

test('an unclear end of taking the lease releases it, which looks whose it is', async () => {
  const { steps } = await patched({ 'take-lease': () => throwing('AccessDenied') });
  expect(steps).toEqual(['take-lease', 'record-failure', 'release-lease']);
});

test('the tolerance of the class travels to the lease', async () => {
  const tolerance = { percentage: 10, memberCount: 30 };
  const { workflow } = await patched({}, { tolerance });
  expect(workflow.inputs('take-lease')).toEqual([
    { run: 'run-1', classId: 'c1', instanceId: 'i-1', tolerance },
  ]);
});

test('when the old volume cannot be put back, the lease stays and the cause names the way out', async () => {
  const { cause, steps } = await patched({
    'swap-volume': ({ direction }: { direction: string }) =>
      throwing(direction === 'forward' ? 'SwapBlockedError' : 'VolumeGoneError'),
  });
  expect(steps).toEqual([...TO_VOLUME, 'swap-volume forward', 'swap-volume back', 'record-failure']);
  expect(cause).toMatch(/Swap volume: SwapBlockedError.*VolumeGoneError.*roll-back-run/);
});

test('when recording the success fails the patched volume stays', async () => {
  const { status, steps } = await patched({ 'release-lease': () => throwing('AccessDenied') });
  expect(status).toBe('FAILED');
  expect(steps).toEqual([
    ...TO_VOLUME,
    'swap-volume forward',
    'verify-instance',
    'release-lease',
    'record-failure',
  ]);
});

test.each(['Sandbox.Timedout', 'Lambda.TooManyRequestsException'])(
  'an apply that dies of %s is followed by one that goes on',
  async (name) => {
    let calls = 0;
    const { status, steps } = await patched({
      'apply-manifest': () => {
        calls += 1;
        if (calls < 3) throwing(name);
        return { done: calls === 4, snapshotId: 'snap-1', putBlocks: calls, getBlocks: 1 };
      },
    });
    expect(status).toBe('SUCCEEDED');
    expect(steps.filter((step) => step === 'apply-manifest')).toHaveLength(4);
  },
);

test('a wait that never ends is given up, and the old volume put back', async () => {
  const { status, cause, steps } = await patched({ 'create-volume': () => ({ done: false, volumeIds: [] }) });
  expect(status).toBe('FAILED');
  expect(cause).toContain(
    'Create volume: States.Timeout: The new volume was not available after half an hour.',
  );
  expect(steps.filter((step) => step === 'create-volume')).toHaveLength(121);
  expect(steps.slice(-3)).toEqual(PUT_BACK);
});

describe('roll back', () => {
  test('puts every old volume back, writes the report anew and ends well', async () => {
    const workflow = workflowUnderTest(fleet);
    expect(await workflow.run('roll-back-run', { run: 'run-1' })).toMatchObject({
      status: 'SUCCEEDED',
      output: { run: 'run-1', rolledBack: 3, reportKey: 'runs/run-1/report.json' },
    });
    for (const instanceId of fleet.targets) {
      expect(workflow.stepsOf(instanceId)).toEqual(['take-lease', 'swap-volume', 'release-lease']);
    }
    expect(workflow.inputs('swap-volume')).toContainEqual({
      run: 'run-1',
      instanceId: 'i-2',
      direction: 'back',
    });
    expect(workflow.inputs('release-lease').map(({ outcome }) => outcome)).toEqual(
      Array(3).fill('rolled-back'),
    );
  });

  test('goes on without a machine that cannot be put back, and names it', async () => {
    const workflow = workflowUnderTest(fleet, {
      'swap-volume': ({ instanceId }: { instanceId: string }) =>
        instanceId === 'i-2' ? throwing('InstanceStartedError') : { done: true, state: 'back' },
    });
    expect(await workflow.run('roll-back-run', { run: 'run-1' })).toMatchObject({
      status: 'FAILED',
      error: 'RollBackFailedError',
      cause: '1 of 3 machines were not put back: i-2. See s3://runs-bucket/runs/run-1/report.json',
    });
    expect(workflow.stepsOf('i-2')).toEqual(['take-lease', 'swap-volume', 'record-failure', 'release-lease']);
  });

  test('with nothing to put back only writes the report', async () => {
    const workflow = workflowUnderTest({ targets: [], rounds: [] });
    expect((await workflow.run('roll-back-run', { run: 'run-1' })).status).toBe('SUCCEEDED');
    expect(workflow.calls.map(({ step }) => step)).toEqual(['plan-roll-back', 'write-report']);
  });
});
