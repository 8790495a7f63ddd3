import { throwing } from '../local/states/engine-under-test';
import { type TestClass, workflowUnderTest } from './workflow-under-test';

type Own = Parameters<typeof workflowUnderTest>[1];

const CLASS: TestClass = {
  classId: 'c1',
  representative: { instanceId: 'i-live', kind: 'live' },
  members: ['i-1', 'i-2'],
};
const RECORDED: TestClass = {
  ...CLASS,
  representative: { instanceId: 'i-long-gone', kind: 'recorded' },
  recorded: {
    manifestKey: 'runs/old/classes/c/manifest.json',
    manifestDigest: 'sha256:old',
    capturedAt: '2026-11-19T00:00:00.000Z',
    run: 'old',
  },
};

async function run(found: TestClass, own: Own = {}) {
  const workflow = workflowUnderTest({ targets: ['i-1', 'i-2'], rounds: [[found]] }, own);
  const { status } = await workflow.run('patch-fleet', { update: 'security' });
  return { workflow, status, steps: workflow.calls.map(({ step }) => step) };
}

test('a class that an earlier run knows is matched and patched with no online run', async () => {
  const { workflow, status, steps } = await run(RECORDED);
  expect(status).toBe('SUCCEEDED');
  for (const step of ['launch-clone', 'start-update', 'capture-update', 'remember-manifest']) {
    expect(steps).not.toContain(step);
  }
  const { manifestKey, manifestDigest } = RECORDED.recorded!;
  expect(workflow.inputs('match-instance')).toEqual(
    ['i-1', 'i-2'].map((instanceId) => ({
      run: 'run-1',
      classId: 'c1',
      instanceId,
      manifestKey,
      manifestDigest,
    })),
  );
  expect(workflow.inputs('release-lease')).toHaveLength(2);
});

test('what was captured is remembered when the canary is patched', async () => {
  const { workflow, steps } = await run(CLASS);
  expect(workflow.inputs('remember-manifest')).toEqual([{ run: 'run-1', classId: 'c1' }]);
  expect(steps.indexOf('remember-manifest')).toBeGreaterThan(steps.indexOf('release-lease'));
});

test.each([
  [
    'nothing was to be changed',
    CLASS,
    {
      'capture-update': () => ({
        manifestKey: 'm',
        manifestDigest: 'd',
        operationCount: 0,
        witnessNeeded: false,
      }),
    },
  ],
  ['no member matched', { ...CLASS, matched: [] }, {}],
  ['there is no stopped member', { ...CLASS, members: [] }, {}],
] as const)('also when %s', async (_what, found, own) => {
  const { steps } = await run(found, own);
  expect(steps).toContain('remember-manifest');
});

test('a manifest whose canary failed is not remembered', async () => {
  const { steps } = await run(CLASS, { 'verify-instance': () => throwing('VerificationFailedError') });
  expect(steps).not.toContain('remember-manifest');
});

test('a class does not fail because its manifest cannot be remembered', async () => {
  const { status } = await run(CLASS, { 'remember-manifest': () => throwing('AccessDenied') });
  expect(status).toBe('SUCCEEDED');
});
