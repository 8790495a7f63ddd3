import { classifyTargets } from '../../aws/steps/classify-targets';
import type { RememberedFit } from '../../core/memory/remembered-manifest';
import type { Profile } from '../../core/profile/profile';
import { NO_IDENTITY } from '../../core/image/identity-values';
import type { ClassDocument, RoundDocument } from '../../core/workflow/documents';
import * as keys from '../../core/workflow/keys';
import type { ClassItem, MemberItem } from '../../core/workflow/payloads';
import { startTestServices, type TestServices } from '../support/aws-services';
import { DEBIAN_12 } from '../support/memory-image';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices();
});
afterEach(() => services.close());

const run = 'r';
const FIT: RememberedFit = {
  manifestKey: 'runs/old/classes/c/manifest.json',
  manifestDigest: 'sha256:old',
  capturedAt: '2026-11-19T00:00:00.000Z',
  run: 'old',
  representative: 'i-0a0a0a0a',
};

interface Machine {
  readonly running?: boolean;
  readonly packages?: Record<string, string>;
  readonly fits?: RememberedFit;
}

/** A run up to the first classification. */
async function profiled(machines: Record<string, Machine>, kind: 'script' | 'compliance' = 'script') {
  const { documents } = services;
  const update = { name: 'u', kind, commands: ['x'], timeoutSeconds: 600 };
  const settings = { update, representative: 'auto', dataPoints: 2, maxRounds: 2, maxConcurrency: 4 };
  await documents.write(keys.planKey(run), { run, settings });
  await documents.writeLines(
    keys.targetsKey(run),
    Object.keys(machines).map((instanceId) => ({ run, instanceId })),
  );
  for (const [instanceId, { running = false, packages = { base: '1' }, fits }] of Object.entries(machines)) {
    const profile: Profile = {
      version: 1,
      instanceId,
      os: DEBIAN_12,
      packages,
      entries: {},
      identity: NO_IDENTITY,
      filesystems: [],
    };
    await documents.write(keys.targetKey(run, instanceId), {
      instanceId,
      state: running ? 'running' : 'stopped',
    });
    await documents.write(keys.profileKey(run, instanceId), { instanceId, profile, ...(fits && { fits }) });
    if (running) services.runCommand.online.add(instanceId);
  }
}

async function classified(round = 1) {
  const { documents } = services;
  const { classesKey } = await classifyTargets(services, { run, round });
  const items = await documents.readLines<ClassItem>(classesKey);
  const { leftOut } = await documents.read<RoundDocument>(keys.roundKey(run, round));
  const members = await Promise.all(items.map((item) => documents.readLines<MemberItem>(item.membersKey)));
  return { items, leftOut, members: members.map((lines) => lines.map(({ instanceId }) => instanceId)) };
}

test('a class has a witness, for which it waits as long as the update may take and two hours', async () => {
  await profiled({ 'i-1': { running: true }, 'i-2': {}, 'i-3': {} });
  const { items, members } = await classified();
  expect(items).toMatchObject([
    {
      representative: { instanceId: 'i-1', kind: 'live' },
      witness: { instanceId: 'i-2', kind: 'clone', timeoutSeconds: 7_800 },
    },
  ]);
  expect(members).toEqual([['i-2', 'i-3']]);
  // Nothing that grows with the fleet may be in an item.
  expect(Object.keys(items[0]!)).not.toEqual(expect.arrayContaining(['members', 'liveMembers']));
});

test('machines that fit what an earlier run captured are a class with no online run; the others have their own', async () => {
  await profiled({
    'i-1': { running: true, fits: FIT },
    'i-2': { fits: FIT },
    'i-3': { fits: FIT },
    'i-4': { packages: { other: '2' } },
  });
  const { items, members, leftOut } = await classified();
  const { representative, ...recorded } = FIT;
  expect(items).toMatchObject([
    { representative: { instanceId: representative, kind: 'recorded' }, recorded, memberCount: 2 },
    { representative: { instanceId: 'i-4', kind: 'clone' } },
  ]);
  expect(items[0]).not.toHaveProperty('witness');
  expect(items[1]).not.toHaveProperty('recorded');
  expect(members).toEqual([['i-2', 'i-3'], ['i-4']]);
  expect(leftOut).toEqual([{ instanceId: 'i-1', reason: expect.stringContaining('what run old captured') }]);
});

test('the result of a check may hold for running machines too, and one data point is enough', async () => {
  await profiled({ 'i-1': { running: true }, 'i-2': { running: true }, 'i-3': {} }, 'compliance');
  const { items, members, leftOut } = await classified();
  expect(items).toMatchObject([{ check: true, representative: { instanceId: 'i-1' }, memberCount: 2 }]);
  expect(items[0]).not.toHaveProperty('witness');
  expect(members).toEqual([['i-2', 'i-3']]);
  expect(leftOut).toEqual([]);
});

describe('a later round', () => {
  async function unmatched(instanceId: string, classId: string): Promise<void> {
    await services.documents.write(keys.matchKey(run, instanceId, classId), {
      instanceId,
      classId,
      matched: false,
      differences: [{ path: '/etc/x', found: 'y', why: 'z' }],
    });
  }

  async function afterFirst(captured: object) {
    await profiled({
      'i-1': { running: true },
      'i-2': { packages: { base: '1', more: '1' } },
      'i-3': { packages: { base: '1', more: '1' } },
    });
    const { items } = await classified();
    const [{ classId }] = items as [ClassItem];
    await services.documents.write(keys.captureKey(run, classId), { told: {}, ...captured });
    for (const instanceId of ['i-2', 'i-3']) await unmatched(instanceId, classId);
    return classId;
  }

  test('takes what a witness of another class told, for those that look like it', async () => {
    const { run: _run, ...witnessManifest } = FIT;
    const { representative: _representative, ...recorded } = witnessManifest;
    const classId = await afterFirst({ witnessManifest });
    const { witness } = await services.documents.read<ClassDocument>(keys.classKey(run, classId));
    expect(witness?.instanceId).toBe('i-2');
    const { items, members } = await classified(2);
    expect(items).toMatchObject([
      { representative: { kind: 'recorded' }, recorded: { ...recorded, run }, round: 2 },
    ]);
    expect(members).toEqual([['i-2', 'i-3']]);
  });

  test('of a check takes a running machine as it is, and no clone of it', async () => {
    const more = { base: '1', more: '1' };
    await profiled(
      {
        'i-1': { running: true },
        'i-2': { running: true, packages: more },
        'i-3': { running: true, packages: more },
        'i-4': { packages: more },
      },
      'compliance',
    );
    // Its agent has gone offline since the first round, in which all of them came to one class.
    const first = 'c1';
    await services.documents.write(keys.roundKey(run, 1), {
      classes: [
        {
          classId: first,
          members: ['i-2', 'i-3', 'i-4'],
          representative: { instanceId: 'i-1', kind: 'live' },
        },
      ],
    });
    await services.documents.write(keys.classKey(run, first), {});
    await services.documents.write(keys.captureKey(run, first), { told: {} });
    for (const instanceId of ['i-2', 'i-3', 'i-4']) await unmatched(instanceId, first);
    services.runCommand.online.delete('i-2');
    const { items, members } = await classified(2);
    expect(items).toMatchObject([{ check: true, representative: { instanceId: 'i-3', kind: 'live' } }]);
    expect(members).toEqual([['i-2', 'i-4']]);
  });

  test('gives each other group its own representative', async () => {
    await afterFirst({});
    const { items } = await classified(2);
    expect(items).toMatchObject([{ representative: { kind: 'clone' } }]);
  });

  test('gives a class of the same machines another name: what the one before it left is not its own', async () => {
    await profiled({ 'i-2': { fits: FIT }, 'i-3': { fits: FIT } });
    const [first] = (await classified()).items as [ClassItem];
    for (const instanceId of ['i-2', 'i-3']) await unmatched(instanceId, first.classId);
    const second = await classified(2);
    expect(second.members).toEqual([['i-2', 'i-3']]);
    expect(second.items[0]!.classId).not.toBe(first.classId);
  });

  test('leaves alone a machine that not even its own clone could tell for', async () => {
    await profiled({ 'i-2': {}, 'i-3': {} });
    const [{ classId, representative }] = (await classified()).items as [ClassItem];
    expect(representative).toEqual({ instanceId: 'i-2', kind: 'clone' });
    await services.documents.write(keys.captureKey(run, classId), { told: {} });
    for (const instanceId of ['i-2', 'i-3']) await unmatched(instanceId, classId);
    const { members, leftOut } = await classified(2);
    expect(members).toEqual([['i-3']]);
    expect(leftOut).toEqual([{ instanceId: 'i-2', reason: expect.stringContaining('its own clone') }]);
  });

  test('leaves alone whose update can be done online only: another round would not help', async () => {
    await afterFirst({ told: { onlyOnline: ['it makes a keytab'] } });
    const { items, leftOut } = await classified(2);
    expect(items).toEqual([]);
    expect(leftOut).toEqual(
      ['i-2', 'i-3'].map((instanceId) => ({
        instanceId,
        reason: 'it needs the update online: it makes a keytab',
      })),
    );
  });
});
