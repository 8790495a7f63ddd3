import { buildReport } from '../../../core/report/build-report';
import { reportHtml } from '../../../core/report/report-html';
import type { ClassFacts, MachineFacts, RunFacts } from '../../../core/report/run-facts';
import type {
  ApplyDocument,
  CaptureDocument,
  FailureDocument,
  MatchDocument,
  SwapDocument,
  TargetDocument,
} from '../../../core/workflow/documents';

const AT = '2026-11-20T06:00:00.000Z';
const calls = {
  listCalls: 1,
  getBlocks: 100,
  putBlocks: 80,
  bytesRead: 100 * 524_288,
  bytesWritten: 80 * 524_288,
};
const step = { startedAt: AT, endedAt: '2026-11-20T06:00:10.000Z', calls };

const target = (instanceId: string, facts: Partial<TargetDocument> = {}): TargetDocument => ({
  instanceId,
  name: instanceId,
  state: 'stopped',
  instanceType: 't3.small',
  architecture: 'x86_64',
  rootDeviceName: '/dev/xvda',
  launchTime: AT,
  volumes: [],
  ...facts,
});
const machine = (instanceId: string, facts: Partial<MachineFacts> = {}): MachineFacts => ({
  target: target(instanceId),
  matches: [],
  profile: { ...step, mounts: [{ mountPoint: '/', kind: 'xfs' }] },
  ...facts,
});
const failure = (error: string, message = 'It went wrong.'): FailureDocument => ({
  step: 'Apply manifest',
  error,
  message,
  at: AT,
});
const match = (facts: Partial<MatchDocument>): MatchDocument => ({
  instanceId: 'i',
  classId: 'c',
  matched: true,
  alreadyPatched: false,
  manifestKey: 'k',
  manifestDigest: 'd',
  differences: [],
  differenceCount: 0,
  ...step,
  ...facts,
});
const swap = {
  swaps: [{ oldVolumeId: 'vol-old', newVolumeId: 'vol-new', attributes: { sizeGib: 8 } }],
  retainUntil: '2026-11-27T06:00:00.000Z',
} as unknown as SwapDocument;

function classFacts(members: readonly string[], facts: Partial<ClassFacts> = {}): ClassFacts {
  return {
    document: {
      run: 'r',
      round: 1,
      classId: 'c',
      representative: { instanceId: 'i-live', kind: 'live' },
      memberCount: members.length,
      membersKey: 'k',
      maxConcurrency: 1,
      toleratedFailurePercentage: 0,
      signature: 's',
      reason: 'they agree',
    },
    members,
    ...facts,
  };
}

function runFacts(facts: Partial<RunFacts>, settings: object = {}): RunFacts {
  return {
    plan: {
      formatVersion: 1,
      run: 'r',
      execution: { id: 'arn:r', name: 'r', startTime: AT },
      startedAt: AT,
      settings: {
        update: { name: 'security', kind: 'packages', select: 'security' },
        targets: {},
        dryRun: false,
        maxConcurrency: 1,
        toleratedFailurePercentage: 10,
        representative: 'auto',
        verify: 'digests',
        dataPoints: 2,
        fresh: false,
        maxRounds: 3,
        retainDays: 7,
        ...settings,
      },
      targetCount: 1,
      excluded: [],
    },
    rounds: [],
    classes: [],
    machines: [],
    now: '2026-11-20T06:10:00.000Z',
    ...facts,
  };
}

/** A second running machine of the class, i-2, is its witness. */
function withWitness(facts: Partial<ClassFacts>): ClassFacts {
  const found = classFacts(['i'], { update: ended, ...facts });
  const witness = { instanceId: 'i-2', kind: 'live' as const, timeoutSeconds: 1 };
  return { ...found, document: { ...found.document, witness } };
}

/** A class that is patched by what run r-1 captured on i-old. */
function recordedClass(): ClassFacts {
  const found = classFacts(['i']);
  const capturedAt = '2026-11-19T06:10:00.000Z';
  return {
    ...found,
    document: {
      ...found.document,
      representative: { instanceId: 'i-old', kind: 'recorded' },
      recorded: { run: 'r-1', capturedAt, manifestKey: 'mk', manifestDigest: 'sha256:m' },
    },
    recorded: {
      operationCount: 7,
      told: {
        dataPoints: [{ instanceId: 'i-old', kind: 'live', role: 'representative', used: true }],
        deferred: [{ id: 'ssh-host-keys', reason: 'keys are made', commands: ['ssh-keygen -A'], before: [] }],
      },
    },
  };
}

/** What is told of one machine. */
function told(facts: MachineFacts, run: Partial<RunFacts> = {}, settings: object = {}) {
  const [one] = buildReport(runFacts({ machines: [facts], ...run }, settings)).machines;
  return `${one!.outcome}: ${one!.sentence}`;
}

const difference = { path: '/etc/app.conf', found: 'x', why: 'its content differs' };
const ended = {
  classId: 'c',
  instanceId: 'i-live',
  commandId: 'x',
  status: 'Success',
  outputPrefix: 'p',
  startedAt: AT,
};

test.each<[string, string, RegExp]>([
  [
    'patched',
    told(machine('i', { outcome: { instanceId: 'i', outcome: 'patched', at: AT }, swap })),
    /^patched: Patched without being started.*kept until 2026-11-27/,
  ],
  [
    'patched by the kernel',
    told(
      machine('i', {
        outcome: { instanceId: 'i', outcome: 'patched', at: AT },
        swap,
        apply: {
          engine: 'kernel',
          operations: 7,
          attempts: 1,
          snapshots: [],
          ...step,
        } as unknown as ApplyDocument,
      }),
    ),
    /^patched: Patched without being started: 7 operations in 0 blocks, by the kernel engine\./,
  ],
  [
    'patched in a round of its own',
    told(
      machine('i', {
        outcome: { instanceId: 'i', outcome: 'patched', at: AT },
        matches: [
          match({ classId: 'first', matched: false, differences: [difference], differenceCount: 1 }),
          match({ classId: 'own' }),
        ],
      }),
    ),
    /did not fit class first\. It is not like the machine of class first: \/etc\/app\.conf: its content differs/,
  ],
  [
    'checked, after it did not fit the first class',
    told(
      machine('i', {
        compliance: {
          instanceId: 'i',
          classId: 'own',
          checkedOn: 'i-clone',
          checkedAt: AT,
          status: 'recorded',
          passed: 9,
          failed: 1,
        },
        matches: [
          match({ classId: 'first', matched: false, differences: [difference], differenceCount: 1 }),
          match({ classId: 'own' }),
        ],
      }),
    ),
    /^checked: 9 rule\(s\) pass and 1 fail, by what the check found on i-clone.*It is not like .*\/etc\/app\.conf/,
  ],
  [
    'rolled back',
    told(machine('i', { outcome: { instanceId: 'i', outcome: 'rolled-back', at: AT } })),
    /^rolled-back: .*put back/,
  ],
  [
    'failed',
    told(machine('i', { failure: failure('ApplyError') })),
    /^failed: Apply manifest: It went wrong\. \[ApplyError\]/,
  ],
  ['started meanwhile', told(machine('i', { failure: failure('InstanceStartedError') })), /^not-patched: /],
  [
    'representative',
    told(machine('i-live'), { classes: [classFacts(['i'], { update: ended })] }),
    /^updated-online: .*representative of 1 stopped/,
  ],
  [
    'witness',
    told(machine('i-2'), {
      classes: [withWitness({ witness: { update: { ...ended, instanceId: 'i-2' } } })],
    }),
    /^updated-online: .*as witness of what it does to i-live/,
  ],
  [
    'witness on which the update failed',
    told(machine('i-2'), {
      classes: [withWitness({ witness: { update: { ...ended, instanceId: 'i-2', status: 'Failed' } } })],
    }),
    /^failed: .*as witness.*Failed/,
  ],
  [
    'witness on which the update was not begun',
    told(machine('i-2'), { classes: [withWitness({ witness: {} })] }),
    /^not-patched: .*was not begun/,
  ],
  [
    'member of a class that an earlier run knows, in a dry run',
    told(machine('i'), { classes: [recordedClass()] }, { dryRun: true }),
    /^would-be-patched: .*what run r-1 captured on i-old at 2026-11-19.*at its first boot: keys are made/,
  ],
  [
    'representative on which the update failed',
    told(machine('i-live'), { classes: [classFacts(['i'], { failure: failure('UpdateFailedError') })] }),
    /^failed: .*UpdateFailedError/,
  ],
  [
    'member of a failed class',
    told(machine('i'), { classes: [classFacts(['i'], { failure: failure('UpdateFailedError') })] }),
    /^not-patched: Its class failed before it was touched/,
  ],
  [
    'matched, but the canary failed',
    told(machine('i', { matches: [match({})] }), {
      classes: [classFacts(['i'], { failure: failure('CanaryFailedError') })],
    }),
    /^not-patched: It matched, but its class failed/,
  ],
  [
    'up to date',
    told(machine('i', { matches: [match({ alreadyPatched: true })] }), { classes: [classFacts(['i'])] }),
    /^up-to-date: /,
  ],
  [
    'differs',
    told(
      machine('i', { matches: [match({ matched: false, differences: [difference], differenceCount: 3 })] }),
      { classes: [classFacts(['i'])] },
    ),
    /^not-patched: .*It is not like i-live: \/etc\/app\.conf: its content differs \(x\); 2 more differences\./,
  ],
  [
    'left out',
    told(machine('i'), {
      rounds: [{ round: 1, classes: [], leftOut: [{ instanceId: 'i', reason: 'it runs' }] }],
    }),
    /^not-patched: Left alone: it runs/,
  ],
  ['the run ended early', told(machine('i')), /^not-patched: The run ended before it was classified/],
  ['dry run', told(machine('i'), { classes: [classFacts(['i'])] }, { dryRun: true }), /^would-be-patched: /],
  [
    'dry run of a representative',
    told(machine('i-live'), { classes: [classFacts(['i'])] }, { dryRun: true }),
    /^would-be-updated-online: /,
  ],
])('says what became of a machine: %s', (_what, sentence, expected) => {
  expect(sentence).toMatch(expected);
});

test('a dry run says what earlier runs found that cannot be done at once', () => {
  const known = (run: string, facts: object) => ({
    manifestKey: 'k',
    manifestDigest: 'd',
    capturedAt: `2026-11-1${run}T00:00:00.000Z`,
    run,
    classId: 'c',
    os: { id: 'debian', versionId: '12', architecture: 'amd64' },
    ...facts,
  });
  const facts = runFacts({}, { dryRun: true });
  const remembered = [
    known('9', { firstBoot: ['keys are made'] }),
    known('8', { firstBoot: ['keys are made'], onlyOnline: ['a keytab'] }),
  ];
  expect(buildReport({ ...facts, plan: { ...facts.plan, remembered } }).warnings).toEqual([
    'Run 9 found on 2026-11-19 that a patched machine does something at its first boot: keys are made',
    'Run 8 found on 2026-11-18 that machines must be updated online: a keytab',
  ]);
});

describe('a run', () => {
  const failed = (count: number): MachineFacts[] =>
    Array.from({ length: 10 }, (_, at) =>
      machine(
        `i-${at}`,
        at < count
          ? { failure: failure('ApplyError') }
          : { outcome: { instanceId: 'i', outcome: 'patched', at: AT } },
      ),
    );

  test.each([
    [0, true],
    [1, true],
    [2, false],
  ])('with %i of 10 failed where 10 %% are tolerated has succeeded: %s', (count, succeeded) => {
    expect(buildReport(runFacts({ machines: failed(count) })).succeeded).toBe(succeeded);
  });

  test('has not succeeded when a class or the run itself failed', () => {
    expect(buildReport(runFacts({ classes: [classFacts([], { failure: failure('X') })] })).succeeded).toBe(
      false,
    );
    const report = buildReport(runFacts({ failure: failure('NoTargetsError', 'No instance has the tags.') }));
    expect(report).toMatchObject({
      succeeded: false,
      summary: 'Apply manifest failed: No instance has the tags.',
    });
  });

  test('adds up calls, bytes and cost', () => {
    const report = buildReport(
      runFacts({
        machines: [machine('i', { outcome: { instanceId: 'i', outcome: 'patched', at: AT }, swap })],
      }),
    );
    expect(report.usage).toEqual(calls);
    expect(report.seconds).toBe(600);
    expect(report.machines[0]).toMatchObject({
      oldVolumeIds: ['vol-old'],
      newVolumeIds: ['vol-new'],
      seconds: 10,
    });
    // 8 GiB of gp3 for 7 of 30 days are $0.149; all else is less than a cent.
    expect(report.cost.usd).toBeGreaterThan(0.149);
    expect(report.cost.usd).toBeLessThan(0.16);
  });

  test('counts how often the update was run online, by class and in all', () => {
    const witness = { update: { ...ended, instanceId: 'i-2' } };
    const report = buildReport(runFacts({ classes: [withWitness({ witness }), recordedClass()] }));
    expect(report.counts.onlineUpdates).toBe(2);
    expect(report.summary).toContain('It was run 2 times on a running system.');
    expect(report.classes).toMatchObject([
      { onlineUpdates: 2, witness: { instanceId: 'i-2', status: 'Success' } },
      {
        onlineUpdates: 0,
        operationCount: 7,
        manifestKey: 'mk',
        recorded: { run: 'r-1', ageHours: 24, instanceIds: ['i-old'] },
      },
    ]);
    const page = reportHtml(report);
    expect(page).toContain('Known from run r-1');
    expect(page).toContain('24.0 hours ago');
    expect(page).toContain('<code>ssh-keygen -A</code>');
  });

  test('shows what was decided about paths, and why a witness told nothing', () => {
    const told = {
      dataPoints: [
        { instanceId: 'i-live', kind: 'live', role: 'representative', used: true },
        { instanceId: 'i-2', kind: 'live', role: 'witness', used: false, note: 'it has another libc6' },
      ],
      decisions: {
        total: 2,
        paths: [{ path: '/etc/x', decision: 'template', reason: 'holds the host name' }],
      },
      recording: { method: 'none', whole: false, warnings: ['no python3'] },
    };
    const capture = { told, operationCount: 1, warnings: [], ...step } as unknown as CaptureDocument;
    const page = reportHtml(buildReport(runFacts({ classes: [withWitness({ capture, witness: {} })] })));
    expect(page).toContain('It told nothing: it has another libc6');
    expect(page).toContain('<code>/etc/x</code> template: holds the host name');
    expect(page).toContain('and 1 more, in the manifest');
    expect(page).toContain('Recorded by none, not whole');
  });

  test('that is dry says what it would cost', () => {
    const one = { ...classFacts(['i']).document, members: ['i'] };
    const facts = {
      machines: [machine('i')],
      classes: [classFacts(['i'])],
      rounds: [{ round: 1, classes: [one], leftOut: [] }],
    };
    const report = buildReport(runFacts(facts, { dryRun: true }));
    expect(report.cost.estimated).toBe(true);
    expect(report.cost.usd).toBeGreaterThan(0);
    expect(report.summary).toContain('nothing was changed');
  });
});

describe('the page', () => {
  const HOSTILE = `<script>alert("x")</script>'&\u0000\ud800`;
  const page = reportHtml(
    buildReport({
      ...runFacts({
        machines: [
          machine('i', {
            target: target('i', { name: HOSTILE }),
            matches: [
              match({
                matched: false,
                differences: [{ ...difference, path: `/${HOSTILE}` }],
                differenceCount: 1,
              }),
            ],
            failure: failure('X', HOSTILE),
          }),
        ],
        classes: [
          classFacts(['i'], { update: { ...ended, outputTail: HOSTILE }, failure: failure('X', HOSTILE) }),
        ],
      }),
    }),
  );

  test('runs nothing that a host name, a path or an output holds', () => {
    expect(page).not.toContain('<script');
    expect(page).not.toContain('\u0000');
    expect(
      page.match(/&lt;script&gt;alert\(&quot;x&quot;\)&lt;\/script&gt;&#39;&amp;/g)?.length,
    ).toBeGreaterThanOrEqual(5);
    expect(page.isWellFormed()).toBe(true);
  });

  test('fetches nothing', () => {
    expect(page).not.toMatch(/(src|href)=|url\(|@import|https?:/);
    expect(page).toContain("default-src 'none'");
  });

  test('shows every section, in light and dark', () => {
    for (const text of ['Classes', 'Machines', 'Cost', 'Representative:', 'prefers-color-scheme: dark']) {
      expect(page).toContain(text);
    }
  });
});
