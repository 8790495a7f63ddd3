import { pruneVolumes } from '../../aws/steps/prune-volumes';
import type { PruneDocument, SwapDocument } from '../../core/workflow/documents';
import { leaseKey } from '../../core/workflow/keys';
import type { VolumeRecord } from '../../local/state/resources';
import { startTestServices, type TestServices } from '../support/aws-services';
import { addVolume, before, inDays, writeSwap } from '../support/tagged-volumes';
import { addMachine, type TestMachine } from '../support/test-machines';

const RUN = 'run-1';
const execution = { name: 'day-1', startTime: '2026-11-20T05:30:00.000Z' };
const KEY = 'housekeeping/2026-11-20/prune-day-1.json';

let services: TestServices;
let machine: TestMachine;
beforeEach(async () => {
  services = await startTestServices({ maxAttempts: 1 });
  machine = await addMachine(services);
});
afterEach(() => services.close());

const prune = (hasTime = () => true) => pruneVolumes(services, { execution }, hasTime);
const told = () => services.documents.read<PruneDocument>(KEY);
const deleted = (volumeId: string) => services.state.volumes.get(volumeId)!.deletedAt !== undefined;

const tags = (more: Record<string, string> = {}) => ({
  'imageelves:run': RUN,
  'imageelves:instance': machine.instanceId,
  'imageelves:replaced-by': machine.volumeId,
  'imageelves:retain-until': inDays(services, -1),
  ...more,
});

interface Case {
  readonly tags?: Record<string, string>;
  /** Tags that are not there. */
  readonly without?: string;
  readonly volume?: (volume: VolumeRecord) => Partial<VolumeRecord>;
  readonly swap?: Partial<SwapDocument> | 'none' | 'of others';
  readonly machine?: 'without its root' | 'terminated';
  /** By another holder. */
  readonly leased?: boolean;
}

/** The old volume of a machine that was swapped, and its retention ended yesterday, but for what the case says. */
async function oldVolume({ without, volume, swap, ...given }: Case = {}): Promise<string> {
  const all = tags(given.tags);
  const kept = Object.fromEntries(Object.entries(all).filter(([key]) => key !== without));
  const volumeId = addVolume(services, machine, kept);
  const record = services.state.volumes.get(volumeId)!;
  Object.assign(record, volume?.(record));
  const oldVolumeId = swap === 'of others' ? 'vol-00000000' : volumeId;
  if (swap !== 'none') {
    const more = swap === 'of others' ? {} : swap;
    const swapped = { oldVolumeId, newVolumeId: machine.volumeId };
    await writeSwap(services, RUN, machine.instanceId, swapped, more);
  }
  const root = services.state.volumes.get(machine.volumeId)!;
  if (given.machine !== undefined) root.attachment = undefined;
  if (given.machine === 'terminated') {
    services.state.instances.get(machine.instanceId)!.state = 'terminated';
  }
  if (given.leased) await services.leases.take(machine.instanceId, 'run-2');
  return volumeId;
}

const attachedTo =
  (instanceId: () => string) =>
  ({ createTime }: VolumeRecord): Partial<VolumeRecord> => ({
    attachment: {
      instanceId: instanceId(),
      device: '/dev/sdf',
      deleteOnTermination: false,
      attachTime: createTime,
      attachedAt: createTime,
    },
  });

test.each<[string, Case]>([
  ['of a machine that has another one', {}],
  ['of a machine that is terminated', { machine: 'terminated' }],
  ['with a day instead of a time', { tags: { 'imageelves:retain-until': '2020-01-31' } }],
])('an old volume whose retention has ended is deleted: %s', async (_name, given) => {
  const volumeId = await oldVolume(given);
  await expect(prune()).resolves.toEqual({ done: true, documentKey: KEY, removed: 1, notDue: 0, left: 0 });
  expect(deleted(volumeId)).toBe(true);
  expect(await told()).toMatchObject({
    removed: [{ volumeId, run: RUN, instanceId: machine.instanceId, sizeGib: 1 }],
    left: [],
    failed: [],
  });
  expect(deleted(machine.volumeId)).toBe(false);
});

test('after a roll back the new volume is the one that is deleted', async () => {
  const newVolumeId = addVolume(services, machine, tags({ 'imageelves:purpose': 'patched' }));
  const volumes = { oldVolumeId: machine.volumeId, newVolumeId };
  await writeSwap(services, RUN, machine.instanceId, volumes, { direction: 'back' });
  expect((await prune()).removed).toBe(1);
  expect([deleted(newVolumeId), deleted(machine.volumeId)]).toEqual([true, false]);
});

test.each<[string, Case, RegExp]>([
  ['its retention is malformed', { tags: { 'imageelves:retain-until': 'next week' } }, /"next week"/],
  ['its retention is a local time', { tags: { 'imageelves:retain-until': '2020-01-31 03:00' } }, /no time/],
  ['it names no instance', { without: 'imageelves:instance' }, /names no instance/],
  ['it names no well-formed instance', { tags: { 'imageelves:instance': '../runs' } }, /names no instance/],
  ['no swap is known', { swap: 'none' }, /no swap of i-.* names it/],
  ['the swap is of other volumes, as with a restored backup', { swap: 'of others' }, /names it/],
  [
    'the swap has not ended',
    { swap: { done: false } },
    /roll-back-run with \{"run":"run-1","instanceIds":\["i-/,
  ],
  ['the swap says that the machine is to have it', { swap: { direction: 'back' } }, /is to have/],
  [
    'the machine holds nothing at its device',
    { machine: 'without its root' },
    /holds nothing at \/dev\/xvda/,
  ],
  ['another run has the machine', { leased: true }, /being changed by run-2/],
  ['it is being made', { volume: () => ({ availableAt: Infinity }) }, /it is creating/],
])('is left when %s', async (_name, given, why) => {
  const volumeId = await oldVolume(given);
  await expect(prune()).resolves.toMatchObject({ removed: 0, left: 1 });
  expect(deleted(volumeId)).toBe(false);
  expect((await told()).left).toEqual([{ volumeId, why: expect.stringMatching(why) }]);
});

test.each<[string, Case, number]>([
  ['without the tag of a run', { without: 'imageelves:run' }, 0],
  ['with an empty tag of a run', { tags: { 'imageelves:run': '' } }, 0],
  ['without a retention', { without: 'imageelves:retain-until' }, 0],
  ['whose retention has not ended', { tags: { 'imageelves:retain-until': '2999-01-01' } }, 1],
])('a volume %s is not even looked at', async (_name, given, notDue) => {
  const volumeId = await oldVolume(given);
  await expect(prune()).resolves.toMatchObject({ removed: 0, left: 0, notDue });
  expect(deleted(volumeId)).toBe(false);
  expect(await services.documents.find(leaseKey(machine.instanceId))).toBeUndefined();
});

test.each(['2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z'])(
  'a volume that was attached again is in use: its retention, until %s, is taken off',
  async (until) => {
    const other = await addMachine(services, { name: 'other' });
    const volumeId = await oldVolume({
      tags: { 'imageelves:retain-until': until },
      volume: attachedTo(() => other.instanceId),
    });
    await expect(prune()).resolves.toMatchObject({ removed: 0, left: 1 });
    const { tags: now, deletedAt } = services.state.volumes.get(volumeId)!;
    expect(deletedAt).toBeUndefined();
    expect(Object.keys(now)).toEqual(['imageelves:run', 'imageelves:instance']);
  },
);

test('a volume that is attached between the look and the call stays, and so do its tags', async () => {
  const volumeId = await oldVolume();
  const record = services.state.volumes.get(volumeId)!;
  before(services.ec2, 'DeleteVolume', () =>
    Object.assign(record, attachedTo(() => machine.instanceId)(record)),
  );
  await expect(prune()).resolves.toMatchObject({ removed: 0, left: 1 });
  expect(deleted(volumeId)).toBe(false);
  expect((await told()).left).toEqual([{ volumeId, why: 'it was attached at the last moment' }]);
});

test('no run can take the machine while its volume is being deleted, and any can afterwards', async () => {
  await oldVolume();
  const refused: unknown[] = [];
  let asked: Promise<unknown> | undefined;
  before(services.ec2, 'DeleteVolume', () => {
    asked = services.leases.take(machine.instanceId, 'run-2').catch((error: unknown) => refused.push(error));
  });
  // The call goes on at once; the lease is released no sooner than it has answered.
  services.faults.add({ service: 'ec2', operation: 'DeleteVolume', kind: 'throttle' });
  await expect(prune()).rejects.toThrow();
  await asked;
  expect(refused).toMatchObject([{ name: 'LeaseHeldError' }]);
  await services.leases.take(machine.instanceId, 'run-2');
});

test('one volume that fails does not stop the others, and fails the step by its name', async () => {
  const failing = await oldVolume();
  const others = await Promise.all(
    [1, 2, 3].map(async (at) => {
      const one = await addMachine(services, { name: `other-${at}` });
      const volumeId = addVolume(services, one, tags({ 'imageelves:instance': one.instanceId }));
      await writeSwap(services, RUN, one.instanceId, { oldVolumeId: volumeId, newVolumeId: one.volumeId });
      return volumeId;
    }),
  );
  let calls = 0;
  before(services.ec2, 'DeleteVolume', () => {
    calls += 1;
  });
  services.faults.add({ service: 'ec2', operation: 'DeleteVolume', kind: 'throttle' });
  const error = await prune().catch((thrown: unknown) => thrown);
  expect(calls).toBe(4);
  const gone = [failing, ...others].filter(deleted);
  const [stayed] = [failing, ...others].filter((volumeId) => !deleted(volumeId));
  expect(gone).toHaveLength(3);
  expect(error).toMatchObject({ name: 'PruneFailedError', message: expect.stringContaining(stayed!) });
  const document = await told();
  expect(document.failed).toMatchObject([{ volumeId: stayed }]);
  expect(document.removed.map(({ volumeId }) => volumeId).sort()).toEqual(gone.sort());

  // Called again, as the state machine or the next day does, it deletes that one too and forgets none of the others.
  await expect(prune()).resolves.toMatchObject({ removed: 4, left: 0 });
});

test('a deletion whose answer was lost is no failure the next time', async () => {
  const volumeId = await oldVolume();
  services.faults.add({ service: 'ec2', operation: 'DeleteVolume', kind: 'timeout-after-effect' });
  await expect(prune()).rejects.toMatchObject({ name: 'PruneFailedError' });
  await expect(prune()).resolves.toMatchObject({ done: true });
  expect(deleted(volumeId)).toBe(true);
});

test('out of time it deletes nothing more and asks to be called again', async () => {
  const volumeId = await oldVolume();
  await expect(prune(() => false)).resolves.toMatchObject({ done: false, removed: 0 });
  expect(deleted(volumeId)).toBe(false);
  await expect(prune()).resolves.toMatchObject({ done: true, removed: 1 });
});

test('of several old volumes of one machine each is judged by its own device', async () => {
  const ids: string[] = [];
  for (let at = 0; at < 3; at += 1) ids.push(addVolume(services, machine, tags()));
  const swaps = ids.map((oldVolumeId, at) => ({
    deviceName: at === 0 ? '/dev/xvda' : `/dev/sd${'fgh'[at]}`,
    isRoot: at === 0,
    deleteOnTermination: true,
    oldVolumeId,
    newVolumeId: machine.volumeId,
  }));
  await writeSwap(
    services,
    RUN,
    machine.instanceId,
    { oldVolumeId: '', newVolumeId: '' },
    { swaps: swaps as unknown as SwapDocument['swaps'] },
  );
  // The machine has nothing at the devices of the other two.
  await expect(prune()).resolves.toMatchObject({ removed: 1, left: 2 });
  expect(ids.map(deleted)).toEqual([true, false, false]);
});

test('all pages are read', async () => {
  const later = tags({ 'imageelves:retain-until': inDays(services, 300) });
  for (let at = 0; at < 501; at += 1) addVolume(services, machine, later);
  const volumeId = await oldVolume();
  await expect(prune()).resolves.toMatchObject({ removed: 1, notDue: 501 });
  expect(deleted(volumeId)).toBe(true);
});

const KINDS = ['throttle', 'error-after-effect', 'timeout-after-effect', 'timeout'] as const;
const CALLS: [string, string][] = [
  ['ec2', 'DescribeVolumes'],
  ['ec2', 'DescribeInstances'],
  ['ec2', 'DeleteVolume'],
  ['ec2', 'DeleteTags'],
  ['s3', 'GetObject'],
  ['s3', 'PutObject'],
];
test.each(CALLS.flatMap(([service, operation]) => KINDS.map((kind) => [operation, kind, service] as const)))(
  '%s breaks by %s, and the next time what is to go goes, and nothing else',
  async (operation, kind, service) => {
    const volumeId = await oldVolume();
    const other = await addMachine(services, { name: 'other' });
    const used = addVolume(services, machine, tags());
    const record = services.state.volumes.get(used)!;
    Object.assign(record, attachedTo(() => other.instanceId)(record));
    services.faults.add({ service, operation, kind });
    for (let failures = 0; failures < 5; failures += 1) {
      if (await prune().catch(() => undefined)) break;
    }
    expect(services.faults.unused()).toEqual([]);
    expect([volumeId, used, machine.volumeId].map(deleted)).toEqual([true, false, false]);
    expect(record.tags).not.toHaveProperty('imageelves:retain-until');
    // Nobody is kept from the machine.
    await services.leases.take(machine.instanceId, 'run-2');
  },
);
