import { throwing } from '../local/states/engine-under-test';
import { workflowUnderTest } from './workflow-under-test';

type Own = Parameters<typeof workflowUnderTest>[1];
const PRUNED = { done: true, documentKey: 'p', removed: 2, notDue: 1, left: 0 };
const SWEPT = { done: true, documentKey: 's', sweptRuns: 1, left: 0 };

async function kept(own: Own = {}) {
  const steps = { 'prune-volumes': () => PRUNED, 'sweep-runs': () => SWEPT };
  const workflow = workflowUnderTest({ targets: [], rounds: [] }, { ...steps, ...own });
  const ended = await workflow.run('keep-house', {});
  return { ...ended, steps: workflow.calls.map(({ step }) => step), workflow };
}

/** Answers that say `done` at the last of so many calls. */
function afterCalls(calls: number, answer: { done: boolean }) {
  let called = 0;
  return () => ({ ...answer, done: (called += 1) >= calls });
}

test('prunes and sweeps, and tells what came of it', async () => {
  const { status, output, steps, workflow } = await kept();
  expect({ status, output, steps }).toEqual({
    status: 'SUCCEEDED',
    output: { pruned: PRUNED, swept: SWEPT },
    steps: ['prune-volumes', 'sweep-runs'],
  });
  const execution = { name: expect.any(String), startTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) };
  expect(workflow.inputs('prune-volumes')).toEqual([{ execution }]);
  expect(workflow.inputs('sweep-runs')).toEqual(workflow.inputs('prune-volumes'));
});

test('calls a step again until it is done', async () => {
  const { status, steps } = await kept({
    'prune-volumes': afterCalls(3, PRUNED),
    'sweep-runs': afterCalls(2, SWEPT),
  });
  expect(status).toBe('SUCCEEDED');
  expect(steps).toEqual(['prune-volumes', 'prune-volumes', 'prune-volumes', 'sweep-runs', 'sweep-runs']);
});

test('a prune that failed does not keep the sweep from its work, and fails the execution', async () => {
  const { status, error, cause, steps } = await kept({
    'prune-volumes': () => throwing('PruneFailedError', '1 old volume(s) could not be deleted: vol-1.'),
  });
  expect({ status, error, steps }).toEqual({
    status: 'FAILED',
    error: 'HousekeepingFailedError',
    steps: ['prune-volumes', 'sweep-runs'],
  });
  expect(cause).toContain('Prune volumes: PruneFailedError: ');
  expect(cause).toContain('vol-1');
});

test('both failures stand in the cause, as sentences', async () => {
  const { cause } = await kept({
    'prune-volumes': () => throwing('PruneFailedError', 'vol-1 stays.'),
    'sweep-runs': () => throwing('SweepFailedError', 'start roll-back-run with {"run":"r"}.'),
  });
  expect(cause).toBe(
    'Prune volumes: PruneFailedError: vol-1 stays. Sweep runs: SweepFailedError: start roll-back-run with {"run":"r"}.',
  );
});

test('a sweep that is never done is given up, and fails the execution', async () => {
  const { status, cause, steps } = await kept({ 'sweep-runs': () => ({ ...SWEPT, done: false }) });
  expect(status).toBe('FAILED');
  expect(cause).toContain('half an hour');
  expect(steps).toHaveLength(122);
});
