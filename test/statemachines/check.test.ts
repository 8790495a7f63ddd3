import { throwing } from '../local/states/engine-under-test';
import { type TestClass, workflowUnderTest } from './workflow-under-test';

type Own = Parameters<typeof workflowUnderTest>[1];

const CLASS: TestClass = {
  classId: 'c1',
  representative: { instanceId: 'i-live', kind: 'live' },
  check: true,
  members: ['i-1', 'i-2'],
};
const NOTHING = { manifestKey: 'm', manifestDigest: 'sha256:m', operationCount: 0, witnessNeeded: false };

async function run(own: Own = {}, change: Partial<TestClass> = {}) {
  const workflow = workflowUnderTest(
    { targets: ['i-1', 'i-2'], rounds: [[{ ...CLASS, ...change }]] },
    { 'capture-update': () => NOTHING, ...own },
  );
  const { status } = await workflow.run('patch-fleet', { update: 'hardening' });
  return { workflow, status, steps: workflow.calls.map(({ step }) => step) };
}

test('a check is run between no two snapshots, compared with every member, recorded, and patches nobody', async () => {
  const { workflow, status, steps } = await run();
  expect(status).toBe('SUCCEEDED');
  expect(workflow.stepsOf('i-live')).toEqual([
    'snapshot-instance',
    'start-update',
    'check-update',
    'capture-update',
  ]);
  expect(workflow.inputs('match-instance').map(({ instanceId }) => instanceId)).toEqual(['i-1', 'i-2']);
  expect(workflow.inputs('record-compliance')).toEqual([{ run: 'run-1', classId: 'c1' }]);
  expect(steps.indexOf('record-compliance')).toBeGreaterThan(steps.lastIndexOf('match-instance'));
  expect(steps).toContain('remember-manifest');
  for (const step of ['select-matched', 'take-lease']) expect(steps).not.toContain(step);
});

test('one that an earlier run knows is not run again', async () => {
  const { steps } = await run(
    {},
    {
      representative: { instanceId: 'i-gone', kind: 'recorded' },
      recorded: { manifestKey: 'm', manifestDigest: 'd', capturedAt: '2026-11-19T00:00:00.000Z', run: 'old' },
    },
  );
  expect(steps).toEqual(expect.arrayContaining(['match-instance', 'record-compliance']));
  expect(steps).not.toContain('start-update');
});

test('on a machine that is alone in its class is recorded for that one', async () => {
  const { steps } = await run({}, { members: [] });
  expect(steps).toContain('record-compliance');
  expect(steps).not.toContain('match-instance');
});

test('recording goes on until all is recorded, and is given up some time', async () => {
  let calls = 0;
  const { workflow } = await run({
    'record-compliance': () => ({ done: ++calls === 3, recordedCount: calls }),
  });
  expect(workflow.inputs('record-compliance')).toHaveLength(3);
  const never = await run({ 'record-compliance': () => ({ done: false, recordedCount: 0 }) });
  expect(never.status).toBe('FAILED');
  expect(JSON.stringify(never.workflow.inputs('record-failure'))).toContain('after 50 calls');
});

test('a result that cannot be recorded fails the class', async () => {
  const { status, workflow } = await run({ 'record-compliance': () => throwing('AccessDenied', 'no') });
  expect(status).toBe('FAILED');
  expect(JSON.stringify(workflow.inputs('record-failure'))).toContain('Record compliance');
});
