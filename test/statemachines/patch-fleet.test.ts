import { throwing } from '../local/states/engine-under-test';
import { type TestFleet, workflowUnderTest } from './workflow-under-test';

/** One class: one running machine, three stopped ones. */
const oneClass: TestFleet = {
  targets: ['i-live', 'i-1', 'i-2', 'i-3'],
  rounds: [
    [
      {
        classId: 'c1',
        representative: { instanceId: 'i-live', kind: 'live' },
        members: ['i-1', 'i-2', 'i-3'],
      },
    ],
  ],
};

const PATCHED = [
  'snapshot-instance',
  'profile-instance',
  'match-instance',
  'take-lease',
  'apply-manifest',
  'create-volume',
  'swap-volume',
  'verify-instance',
  'release-lease',
];

describe('a run', () => {
  test('updates one machine online and patches the others from what it captured, a canary first', async () => {
    const workflow = workflowUnderTest(oneClass);
    const ended = await workflow.run('patch-fleet', { update: 'security' });
    expect(ended).toMatchObject({ status: 'SUCCEEDED', output: { succeeded: true } });
    expect(workflow.inputs('start-update')).toEqual([{ run: 'run-1', classId: 'c1', instanceId: 'i-live' }]);
    for (const instanceId of ['i-1', 'i-2', 'i-3']) expect(workflow.stepsOf(instanceId)).toEqual(PATCHED);
    expect(workflow.stepsOf('i-live')).not.toContain('take-lease');
    const done = workflow.calls.findIndex(({ step }) => step === 'release-lease');
    const leases = workflow.calls
      .map(({ step }, at) => (step === 'take-lease' ? at : -1))
      .filter((at) => at >= 0);
    expect(workflow.calls[leases[0] as number]?.input['instanceId']).toBe('i-1');
    expect(leases[1]).toBeGreaterThan(done);
    expect(workflow.calls.slice(-2).map(({ step }) => step)).toEqual(['clean-up-run', 'write-report']);
  });

  test('carries the snapshots for before and after to the representative, and the command to its check', async () => {
    const workflow = workflowUnderTest(oneClass);
    await workflow.run('patch-fleet', { update: 'security' });
    const representative = { run: 'run-1', classId: 'c1', instanceId: 'i-live' };
    expect(workflow.inputs('snapshot-instance').filter(({ classId }) => classId !== undefined)).toEqual([
      { ...representative, purpose: 'before' },
      { ...representative, purpose: 'after' },
    ]);
    expect(workflow.inputs('check-update')).toEqual([{ ...representative, commandId: 'command' }]);
    expect(workflow.inputs('capture-update')).toEqual([representative]);
  });

  test('fails in its first state when the input is wrong, with the mistakes as the cause', async () => {
    const workflow = workflowUnderTest(oneClass, {
      'plan-run': () => throwing('InvalidRunInputError', 'update: is missing; dryRun: expected boolean'),
    });
    const ended = await workflow.run('patch-fleet', {});
    expect(ended).toMatchObject({
      status: 'FAILED',
      error: 'InvalidRunInputError',
      cause: expect.stringContaining('update: is missing; dryRun: expected boolean'),
    });
    expect(workflow.calls.map(({ step }) => step)).toEqual(['plan-run']);
  });

  test('that is dry profiles and classifies, and changes nothing', async () => {
    const workflow = workflowUnderTest(oneClass);
    const ended = await workflow.run('patch-fleet', { update: 'security', dryRun: true });
    expect(ended.status).toBe('SUCCEEDED');
    expect([...new Set(workflow.calls.map(({ step }) => step))]).toEqual([
      'plan-run',
      'snapshot-instance',
      'profile-instance',
      'classify-targets',
      'clean-up-run',
      'write-report',
    ]);
  });

  test('waits for what AWS needs time for', async () => {
    let asked = 0;
    const workflow = workflowUnderTest(
      { targets: ['i-1'], rounds: [] },
      { 'snapshot-instance': () => ({ done: ++asked === 4, snapshotsKey: 'snapshots' }) },
    );
    expect((await workflow.run('patch-fleet', { update: 'security' })).status).toBe('SUCCEEDED');
    expect(workflow.stepsOf('i-1')).toEqual([
      ...Array<string>(4).fill('snapshot-instance'),
      'profile-instance',
    ]);
  });

  test('goes on without a target that cannot be read, and says so', async () => {
    const workflow = workflowUnderTest(oneClass, {
      'profile-instance': ({ instanceId }: { instanceId: string }) =>
        instanceId === 'i-2' ? throwing('CorruptFilesystemError', 'superblock') : { profileKey: 'profile' },
    });
    await workflow.run('patch-fleet', { update: 'security' });
    expect(workflow.inputs('record-failure')).toEqual([
      {
        run: 'run-1',
        instanceId: 'i-2',
        step: 'Profile target',
        error: { Error: 'CorruptFilesystemError', Cause: expect.stringContaining('superblock') },
      },
    ]);
    expect(workflow.inputs('classify-targets')).toHaveLength(2);
  });

  test('forms a round of those that did not match, and stops at maxRounds', async () => {
    const round = (classId: string, ...members: string[]) => [
      {
        classId,
        representative: { instanceId: `i-live-${classId}`, kind: 'live' as const },
        members,
        matched: [],
      },
    ];
    const workflow = workflowUnderTest({
      targets: ['i-1', 'i-2'],
      rounds: [round('c1', 'i-1', 'i-2'), round('c2', 'i-1'), round('c3', 'i-1')],
    });
    await workflow.run('patch-fleet', { update: 'security' });
    expect(workflow.inputs('classify-targets').map(({ round }) => round)).toEqual([1, 2, 3]);
    // The third class stands beyond maxRounds = 2: it was formed for the report, not updated.
    expect(workflow.inputs('start-update').map(({ classId }) => classId)).toEqual(['c1', 'c2']);
  });

  test('cleans up and reports when it meets an error of its own', async () => {
    const workflow = workflowUnderTest(oneClass, {
      'classify-targets': () => throwing('AccessDenied', 'no'),
    });
    const ended = await workflow.run('patch-fleet', { update: 'security' });
    expect(ended).toMatchObject({
      status: 'FAILED',
      error: 'RunFailedError',
      cause: expect.stringMatching(
        /Classify targets: AccessDenied.*s3:\/\/runs-bucket\/runs\/run-1\/report.json/,
      ),
    });
    expect(workflow.inputs('record-failure')).toMatchObject([{ run: 'run-1', step: 'Classify targets' }]);
    expect(workflow.calls.slice(-2).map(({ step }) => step)).toEqual(['clean-up-run', 'write-report']);
    expect(workflow.inputs('write-report')).toMatchObject([
      { run: 'run-1', error: { Error: 'AccessDenied' } },
    ]);
  });

  test('reports all the same when the clean-up fails, and keeps the first error', async () => {
    const workflow = workflowUnderTest(oneClass, {
      'clean-up-run': () => throwing('AccessDenied', 'no'),
    });
    const ended = await workflow.run('patch-fleet', { update: 'security' });
    expect(ended).toMatchObject({ error: 'RunFailedError', cause: expect.stringContaining('Clean up run') });
    const both = workflowUnderTest(oneClass, {
      'classify-targets': () => throwing('BadError', 'first'),
      'clean-up-run': () => throwing('AccessDenied', 'second'),
    });
    expect((await both.run('patch-fleet', { update: 'security' })).cause).toContain(
      'Classify targets: BadError',
    );
  });

  test('says where everything is when not even the report can be written', async () => {
    const workflow = workflowUnderTest(oneClass, { 'write-report': () => throwing('NoSuchBucket', 'gone') });
    expect(await workflow.run('patch-fleet', { update: 'security' })).toMatchObject({
      status: 'FAILED',
      error: 'RunFailedError',
      cause: expect.stringContaining('NoSuchBucket'),
    });
  });

  test('works on no more machines at a time than maxConcurrency, in all classes together', async () => {
    let now = 0;
    let most = 0;
    const members = (classId: string) => [1, 2, 3, 4].map((number) => `i-${classId}${number}`);
    const workflow = workflowUnderTest(
      {
        targets: ['a', 'b', 'c'].flatMap(members),
        rounds: [
          ['a', 'b', 'c'].map((classId) => ({
            classId,
            representative: { instanceId: `i-live-${classId}`, kind: 'live' as const },
            members: members(classId),
          })),
        ],
      },
      {
        'apply-manifest': async () => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setTimeout(resolve, 20));
          now -= 1;
          return { done: true, snapshotId: 'snap-1', putBlocks: 3, getBlocks: 9 };
        },
      },
    );
    expect((await workflow.run('patch-fleet', { update: 'security' })).status).toBe('SUCCEEDED');
    expect(workflow.inputs('verify-instance')).toHaveLength(12);
    expect(most).toBe(2);
  });

  test('without targets writes a report and ends', async () => {
    const workflow = workflowUnderTest({ targets: [], rounds: [] });
    expect((await workflow.run('patch-fleet', { update: 'security' })).status).toBe('SUCCEEDED');
    expect(workflow.calls.map(({ step }) => step)).toEqual(['plan-run', 'write-report']);
  });
});

describe('a class', () => {
  test('whose update fails is recorded with its reason; no member is touched, the run reports and fails', async () => {
    const workflow = workflowUnderTest(oneClass, {
      'check-update': () => throwing('UpdateFailedError', 'exit code 100'),
    });
    const ended = await workflow.run('patch-fleet', { update: 'security' });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'RunFailedError' });
    const [failure] = workflow.inputs('record-failure');
    expect(failure).toMatchObject({ run: 'run-1', classId: 'c1', step: 'Update class' });
    expect(JSON.stringify(failure)).toContain('UpdateFailedError');
    expect(JSON.stringify(failure)).toContain('exit code 100');
    expect(workflow.inputs('take-lease')).toEqual([]);
  });

  const cloneClass: TestFleet = {
    targets: ['i-1', 'i-2'],
    rounds: [
      [{ classId: 'c1', representative: { instanceId: 'i-1', kind: 'clone' }, members: ['i-1', 'i-2'] }],
    ],
  };

  test('without a running member is updated on a clone, which is gone before members are matched', async () => {
    const workflow = workflowUnderTest(cloneClass);
    expect((await workflow.run('patch-fleet', { update: 'security' })).status).toBe('SUCCEEDED');
    expect(workflow.inputs('launch-clone')).toEqual([{ run: 'run-1', classId: 'c1', instanceId: 'i-1' }]);
    expect(workflow.stepsOf('i-1-clone')).toEqual([
      'snapshot-instance',
      'start-update',
      'check-update',
      'snapshot-instance',
      'capture-update',
    ]);
    expect(workflow.inputs('terminate-clone')).toEqual([{ run: 'run-1', classId: 'c1', instanceId: 'i-1' }]);
    const order = workflow.calls.map(({ step }) => step);
    expect(order.indexOf('terminate-clone')).toBeLessThan(order.indexOf('match-instance'));
    expect(workflow.stepsOf('i-2')).toEqual(PATCHED);
  });

  test.each(['launch-clone', 'start-update', 'check-update', 'capture-update'] as const)(
    'terminates its clone when %s fails',
    async (step) => {
      const workflow = workflowUnderTest(cloneClass, { [step]: () => throwing('BadError', 'as told') });
      expect((await workflow.run('patch-fleet', { update: 'security' })).status).toBe('FAILED');
      expect(workflow.inputs('terminate-clone')).toHaveLength(1);
      expect(JSON.stringify(workflow.inputs('record-failure'))).toContain('BadError');
    },
  );

  test('keeps what it captured when its clone cannot be terminated: the clean-up of the run tries again', async () => {
    const workflow = workflowUnderTest(cloneClass, {
      'terminate-clone': () => throwing('AccessDenied', 'no'),
    });
    await workflow.run('patch-fleet', { update: 'security' });
    expect(workflow.stepsOf('i-2')).toEqual(PATCHED);
    expect(workflow.inputs('clean-up-run')).toHaveLength(1);
  });

  test('whose canary fails leaves all others alone', async () => {
    const workflow = workflowUnderTest(oneClass, {
      'verify-instance': () => throwing('VerificationFailedError'),
    });
    await workflow.run('patch-fleet', { update: 'security' });
    expect(workflow.inputs('take-lease').map(({ instanceId }) => instanceId)).toEqual(['i-1']);
    const classFailure = workflow.inputs('record-failure').find(({ step }) => step === 'Update class');
    expect(JSON.stringify(classFailure)).toContain('CanaryFailedError');
    expect(JSON.stringify(classFailure)).toContain('VerificationFailedError');
  });

  test('of which no member matches ends without touching one', async () => {
    const fleet: TestFleet = {
      ...oneClass,
      rounds: [
        [
          {
            classId: 'c1',
            representative: { instanceId: 'i-live', kind: 'live' },
            members: ['i-1'],
            matched: [],
          },
        ],
      ],
    };
    const workflow = workflowUnderTest(fleet);
    expect((await workflow.run('patch-fleet', { update: 'security' })).status).toBe('SUCCEEDED');
    expect(workflow.inputs('take-lease')).toEqual([]);
  });

  test('patches nobody when the update changed nothing', async () => {
    const workflow = workflowUnderTest(oneClass, {
      'capture-update': () => ({
        manifestKey: 'm',
        manifestDigest: 'sha256:m',
        operationCount: 0,
        witnessNeeded: false,
      }),
    });
    expect((await workflow.run('patch-fleet', { update: 'security' })).status).toBe('SUCCEEDED');
    expect(workflow.inputs('match-instance')).toEqual([]);
  });
});
