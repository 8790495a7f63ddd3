import { throwing } from '../local/states/engine-under-test';
import { type TestClass, workflowUnderTest } from './workflow-under-test';

type Own = Parameters<typeof workflowUnderTest>[1];
type Input = { readonly instanceId: string };

/** A running representative with three stopped members, the third of which is witness by its clone. */
const CLASS: TestClass = {
  classId: 'c1',
  representative: { instanceId: 'i-live', kind: 'live' },
  witness: { instanceId: 'i-3', kind: 'clone' },
  members: ['i-1', 'i-2', 'i-3'],
};

async function run(own: Own = {}, change: Partial<TestClass> = {}) {
  const workflow = workflowUnderTest(
    { targets: ['i-live', 'i-1', 'i-2', 'i-3'], rounds: [[{ ...CLASS, ...change }]] },
    own,
  );
  const { status } = await workflow.run('patch-fleet', { update: 'security' });
  const patched = workflow.inputs('release-lease').map(({ instanceId }) => instanceId);
  return { workflow, status, patched: patched.sort() };
}

const only =
  (instanceId: string, answer: unknown, otherwise: unknown) =>
  (input: Input): unknown => {
    if (input.instanceId !== instanceId) return otherwise;
    return typeof answer === 'function' ? (answer as () => unknown)() : answer;
  };

test('runs the update on a witness too, and gives both machines to the capture', async () => {
  const { workflow, status, patched } = await run();
  expect(status).toBe('SUCCEEDED');
  for (const machine of ['i-live', 'i-3-clone']) {
    expect(
      workflow
        .stepsOf(machine)
        .filter((step) => step !== 'capture-update')
        .slice(-4),
    ).toEqual(['snapshot-instance', 'start-update', 'check-update', 'snapshot-instance']);
  }
  expect(workflow.inputs('capture-update')).toEqual([
    {
      run: 'run-1',
      classId: 'c1',
      instanceId: 'i-live',
      witness: { instanceId: 'i-3-clone', error: null },
    },
  ]);
  expect(workflow.inputs('terminate-clone')).toEqual([{ run: 'run-1', classId: 'c1', instanceId: 'i-3' }]);
  // The original of the clone is patched as every other member.
  expect(patched).toEqual(['i-1', 'i-2', 'i-3']);
});

test('runs it on both at the same time', async () => {
  let now = 0;
  let most = 0;
  await run({
    'start-update': async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 100));
      now -= 1;
      return { commandId: 'command' };
    },
  });
  expect(most).toBe(2);
});

test('a clone for each keeps to itself', async () => {
  const { workflow } = await run({}, { representative: { instanceId: 'i-1', kind: 'clone' } });
  const clones = (step: 'launch-clone' | 'terminate-clone') =>
    workflow
      .inputs(step)
      .map(({ instanceId }) => instanceId)
      .sort();
  expect(clones('launch-clone')).toEqual(['i-1', 'i-3']);
  expect(clones('terminate-clone')).toEqual(['i-1', 'i-3']);
  expect(workflow.inputs('capture-update')).toMatchObject([
    { instanceId: 'i-1-clone', witness: { instanceId: 'i-3-clone' } },
  ]);
});

test.each([
  ['launch-clone', 'i-3', 'Launch clone'],
  ['snapshot-instance', 'i-3-clone', 'Snapshot before'],
  ['start-update', 'i-3-clone', 'Start update'],
  ['check-update', 'i-3-clone', 'Check update'],
] as const)('a witness whose %s fails costs the second data point only', async (step, instanceId, state) => {
  const answers = {
    'launch-clone': { done: true, cloneInstanceId: 'i-3-clone' },
    'snapshot-instance': { done: true, snapshotsKey: 'snapshots' },
    'start-update': { commandId: 'command' },
    'check-update': { done: true, status: 'Success' },
  };
  const { workflow, status, patched } = await run({
    [step]: only(instanceId, () => throwing('BadWitnessError', 'as told'), answers[step]),
  });
  expect(status).toBe('SUCCEEDED');
  expect(patched).toEqual(['i-1', 'i-2', 'i-3']);
  expect(workflow.inputs('capture-update')).toMatchObject([
    {
      instanceId: 'i-live',
      witness: {
        instanceId: 'i-3',
        error: { Error: 'BadWitnessError', Cause: expect.stringMatching(`^${state}: .*as told`) },
      },
    },
  ]);
  // Whatever came of it, its clone is gone, and nothing is recorded as a failure.
  expect(workflow.inputs('terminate-clone')).toHaveLength(1);
  expect(workflow.inputs('record-failure')).toEqual([]);
});

test('a slow witness is not waited for longer than its time', async () => {
  const slow = () =>
    new Promise((resolve) => setTimeout(() => resolve({ done: true, status: 'Success' }), 2_000));
  const { workflow, status, patched } = await run(
    { 'check-update': only('i-3-clone', slow, { done: true, status: 'Success' }) },
    { witness: { ...CLASS.witness!, timeoutSeconds: 1 } },
  );
  expect({ status, patched }).toEqual({ status: 'SUCCEEDED', patched: ['i-1', 'i-2', 'i-3'] });
  expect(workflow.inputs('capture-update')).toMatchObject([
    { witness: { instanceId: 'i-3', error: { Error: 'States.Timeout' } } },
  ]);
});

test('a witness whose images cannot be compared is set aside, once', async () => {
  const { workflow, status, patched } = await run({
    'capture-update': ({ witness }: { witness: { error: unknown } }) =>
      witness.error === null
        ? throwing('CorruptFilesystemError', 'the witness')
        : { manifestKey: 'manifest', manifestDigest: 'sha256:m', operationCount: 7, witnessNeeded: false },
  });
  expect(status).toBe('SUCCEEDED');
  expect(workflow.inputs('capture-update')).toMatchObject([
    { witness: { error: null } },
    { witness: { instanceId: 'i-3-clone', error: { Error: 'CorruptFilesystemError' } } },
  ]);
  expect(patched).toHaveLength(3);
});

test('a capture that fails without its witness as well fails the class', async () => {
  const { workflow, status } = await run({ 'capture-update': () => throwing('CaptureError', 'too large') });
  expect(status).toBe('FAILED');
  expect(workflow.inputs('capture-update')).toHaveLength(2);
  expect(workflow.inputs('record-failure')).toMatchObject([
    { classId: 'c1', error: { Cause: expect.stringMatching('Capture update: .*too large') } },
  ]);
});

test('a class whose representative fails waits for its witness, so that no clone is left', async () => {
  const { workflow, status, patched } = await run({
    'check-update': only('i-live', () => throwing('UpdateFailedError', 'exit code 1'), {
      done: true,
      status: 'Success',
    }),
  });
  expect({ status, patched }).toEqual({ status: 'FAILED', patched: [] });
  expect(workflow.inputs('capture-update')).toEqual([]);
  expect(workflow.inputs('terminate-clone')).toHaveLength(1);
  expect(JSON.stringify(workflow.inputs('record-failure'))).toContain('exit code 1');
});

describe('a witness that is kept for when it is needed', () => {
  const later = { witness: { ...CLASS.witness!, onlyIfNeeded: true as const } };
  const captured = { manifestKey: 'manifest', manifestDigest: 'sha256:m', operationCount: 7 };
  const needed = {
    'capture-update': ({ witness }: { witness?: object }) => ({
      ...captured,
      witnessNeeded: witness === undefined,
    }),
  };

  test('is left alone where other classes told enough', async () => {
    const { workflow, status, patched } = await run({}, later);
    expect({ status, patched }).toEqual({ status: 'SUCCEEDED', patched: ['i-1', 'i-2', 'i-3'] });
    expect(workflow.inputs('capture-update')).toEqual([
      { run: 'run-1', classId: 'c1', instanceId: 'i-live' },
    ]);
    expect(workflow.inputs('launch-clone')).toEqual([]);
  });

  test('is updated after the representative where they did not, and the capture is made of both', async () => {
    const { workflow, status, patched } = await run(needed, later);
    expect({ status, patched }).toEqual({ status: 'SUCCEEDED', patched: ['i-1', 'i-2', 'i-3'] });
    expect(workflow.inputs('capture-update')).toEqual([
      { run: 'run-1', classId: 'c1', instanceId: 'i-live' },
      {
        run: 'run-1',
        classId: 'c1',
        instanceId: 'i-live',
        witness: { instanceId: 'i-3-clone', error: null },
      },
    ]);
    expect(workflow.inputs('terminate-clone')).toEqual([{ run: 'run-1', classId: 'c1', instanceId: 'i-3' }]);
    const last = workflow.calls.findLastIndex(({ step }) => step === 'capture-update');
    expect(workflow.calls.findIndex(({ step }) => step === 'match-instance')).toBeGreaterThan(last);
  });

  test('costs the second data point only when it fails', async () => {
    const { workflow, status, patched } = await run(
      {
        ...needed,
        'start-update': only('i-3-clone', () => throwing('BadWitnessError', 'as told'), { commandId: 'c' }),
      },
      later,
    );
    expect({ status, patched }).toEqual({ status: 'SUCCEEDED', patched: ['i-1', 'i-2', 'i-3'] });
    expect(workflow.inputs('capture-update')).toMatchObject([
      { instanceId: 'i-live' },
      { witness: { instanceId: 'i-3', error: { Error: 'BadWitnessError' } } },
    ]);
  });

  test('is asked once, whatever the capture says then', async () => {
    const always = { 'capture-update': () => ({ ...captured, witnessNeeded: true }) };
    const { workflow, status } = await run(always, later);
    expect(status).toBe('SUCCEEDED');
    expect(workflow.inputs('capture-update')).toHaveLength(2);
  });
});
