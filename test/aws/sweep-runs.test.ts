import { RegisterImageCommand } from '@aws-sdk/client-ec2';
import * as sfnSdk from '@aws-sdk/client-sfn';
import { tagSpecification } from '../../aws/ec2/tags';
import { ExecutionReader } from '../../aws/states/executions';
import { sweepRuns } from '../../aws/steps/sweep-runs';
import type { ApplyDocument, SweepDocument } from '../../core/workflow/documents';
import { applyKey } from '../../core/workflow/keys';
import { newId } from '../../local/state/ids';
import { AwsError, createService, inProcessHandler } from '../../local/wire';
import { startTestServices, type TestServices } from '../support/aws-services';
import { addVolume, DAY_MS, inDays, writePlan, writeSwap } from '../support/tagged-volumes';
import { addMachine, snapshotOf, type TestMachine } from '../support/test-machines';
import { until } from '../support/whole-run';

const DEAD = 'dead';
const LIVE = 'live';
const execution = { name: 'day-1', startTime: '2026-11-20T05:30:00.000Z' };
const KEY = 'housekeeping/2026-11-20/sweep-day-1.json';

let services: TestServices;
let machine: TestMachine;
let states: Map<string, { status: string; stopDate?: Date }>;
beforeEach(async () => {
  services = await startTestServices({ maxAttempts: 1 });
  machine = await addMachine(services, { blocks: { 0: Buffer.alloc(524_288, 1) } });
  const ended = new Date(services.now().getTime() - DAY_MS);
  states = new Map<string, { status: string; stopDate?: Date }>([
    [`arn:${DEAD}`, { status: 'ABORTED', stopDate: ended }],
    [`arn:${LIVE}`, { status: 'RUNNING' }],
  ]);
  for (const run of [DEAD, LIVE]) await writePlan(services, run, inDays(services, -2));
});
afterEach(() => services.close());

/** Over the wire protocol of Step Functions, with the executions of the test. */
const executions = () =>
  new ExecutionReader(
    new sfnSdk.SFNClient({
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      endpoint: 'http://127.0.0.1:1',
      maxAttempts: 1,
      requestHandler: inProcessHandler(
        createService(sfnSdk, {
          DescribeExecution: ({ executionArn }: sfnSdk.DescribeExecutionInput) => {
            const found = states.get(executionArn!);
            if (found === undefined) throw new AwsError('ExecutionDoesNotExist', executionArn!);
            return { executionArn, name: executionArn, startDate: new Date(0), ...found };
          },
        }),
      ),
    }),
  );
const sweep = (hasTime = () => true) => sweepRuns(services, executions(), { execution }, hasTime);
const told = () => services.documents.read<SweepDocument>(KEY);

/** What a run has made for itself when it dies after create-volume: a clone, its image, snapshots, a new volume. */
async function work(run: string) {
  const { state } = services;
  const clone = await addMachine(services, { name: 'clone', running: true });
  const cloneTags = { 'imageelves:run': run, 'imageelves:class': 'c', 'imageelves:purpose': 'clone' };
  Object.assign(state.instances.get(clone.instanceId)!, { tags: cloneTags });
  const base = await snapshotOf(services, machine);
  const patched = await snapshotOf(services, machine);
  const image = await services.ec2.send(
    new RegisterImageCommand({
      Name: `clone-${run}`,
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: base } }],
      TagSpecifications: tagSpecification('image', cloneTags),
    }),
  );
  const own = { 'imageelves:run': run, 'imageelves:instance': machine.instanceId };
  const ofVolume = { ...own, 'imageelves:volume': machine.volumeId };
  state.snapshots.get(base)!.tags = { ...ofVolume, 'imageelves:purpose': 'base' };
  state.snapshots.get(patched)!.tags = { ...ofVolume, 'imageelves:purpose': 'patched' };
  const volumeTags = { ...own, 'imageelves:purpose': 'patched' };
  const newVolumeId = addVolume(services, machine, volumeTags, { snapshotId: patched });
  const apply = { snapshots: [{ snapshotId: patched, deviceName: '/dev/xvda' }] };
  await services.documents.write(applyKey(run, machine.instanceId), apply as unknown as ApplyDocument);
  return { cloneId: clone.instanceId, imageId: image.ImageId!, base, patched, newVolumeId };
}
type Work = Awaited<ReturnType<typeof work>>;

const there = ({ cloneId, imageId, base, patched, newVolumeId }: Work) => ({
  clone: !['terminated', 'shutting-down'].includes(services.state.instances.get(cloneId)!.state),
  image: services.state.images.has(imageId),
  base: services.state.snapshots.has(base),
  patched: services.state.snapshots.has(patched),
  newVolume: services.state.volumes.get(newVolumeId)!.deletedAt === undefined,
});
const ALL = { clone: true, image: true, base: true, patched: true, newVolume: true };
const NOTHING = { clone: false, image: false, base: false, patched: false, newVolume: false };

test('everything of a dead run is removed, nothing of a live one, and no volume of a machine', async () => {
  const dead = await work(DEAD);
  const live = await work(LIVE);
  await until(services, () => sweep());
  expect([there(dead), there(live)]).toEqual([NOTHING, ALL]);
  expect(services.state.volumes.get(machine.volumeId)!.deletedAt).toBeUndefined();
  expect(services.state.instances.get(machine.instanceId)!.state).toBe('stopped');
  expect(await told()).toMatchObject({
    swept: [
      {
        run: DEAD,
        why: expect.stringContaining('ABORTED'),
        terminatedClones: 1,
        deletedSnapshots: 2,
        removedVolumes: [dead.newVolumeId],
      },
    ],
    left: [{ run: LIVE, why: 'its execution is RUNNING' }],
    failed: [],
  });
});

test.each([
  ['ended a minute ago: a function may still be at work', { status: 'FAILED', minutesAgo: 1 }],
  ['waits for a redrive', { status: 'PENDING_REDRIVE', minutesAgo: 999 }],
])('a run that %s is left', async (_name, { status, minutesAgo }) => {
  const made = await work(DEAD);
  const stopDate = new Date(services.now().getTime() - minutesAgo * 60_000);
  states.set(`arn:${DEAD}`, { status, stopDate });
  await expect(sweep()).resolves.toMatchObject({ done: true, sweptRuns: 0, left: 1 });
  expect(there(made)).toEqual(ALL);
});

test.each([
  [2, NOTHING],
  [0.5, ALL],
])('a run whose execution is forgotten, and that began %d days ago', async (days, expected) => {
  const made = await work(DEAD);
  states.delete(`arn:${DEAD}`);
  await writePlan(services, DEAD, inDays(services, -days));
  await until(services, () => sweep());
  expect(there(made)).toEqual(expected);
});

test('a run without a plan may be of another deployment: left for 30 days, and its volumes for ever', async () => {
  const made = await work('stranger');
  await expect(sweep()).resolves.toMatchObject({ sweptRuns: 0, left: 1 });
  expect(there(made)).toEqual(ALL);

  const long = services.now().getTime() - 31 * DAY_MS;
  services.state.instances.get(made.cloneId)!.launchTime = long;
  services.state.volumes.get(made.newVolumeId)!.createTime = long;
  services.state.images.get(made.imageId)!.creationDate = long;
  for (const id of [made.base, made.patched]) services.state.snapshots.get(id)!.startTime = long;
  await until(services, () => sweep());
  expect(there(made)).toEqual({ ...NOTHING, newVolume: true });
  expect((await told()).leftVolumes).toEqual([
    { volumeId: made.newVolumeId, why: expect.stringContaining('no documents in this bucket') },
  ]);
});

test('a machine left between two volumes is not touched, and the cause names the roll back', async () => {
  const made = await work(DEAD);
  const volumes = { oldVolumeId: machine.volumeId, newVolumeId: made.newVolumeId };
  await writeSwap(services, DEAD, machine.instanceId, volumes, { done: false });
  // Detached, and the new one not yet attached.
  services.state.volumes.get(machine.volumeId)!.attachment = undefined;
  const rollBackInput = { run: DEAD, instanceIds: [machine.instanceId] };
  await expect(until(services, () => sweep())).rejects.toMatchObject({
    name: 'SweepFailedError',
    message: expect.stringContaining(`start roll-back-run with ${JSON.stringify(rollBackInput)}`),
  });
  // What no swap needs is gone all the same.
  expect(there(made)).toEqual({ ...NOTHING, newVolume: true });
  expect(services.state.volumes.get(machine.volumeId)!.deletedAt).toBeUndefined();
  expect((await told()).unfinishedSwaps).toEqual([
    { run: DEAD, instanceId: machine.instanceId, rollBackInput },
  ]);
});

test('a roll back at work is let work', async () => {
  const made = await work(DEAD);
  const volumes = { oldVolumeId: machine.volumeId, newVolumeId: made.newVolumeId };
  await writeSwap(services, DEAD, machine.instanceId, volumes, { direction: 'back', done: false });
  const expiresAt = inDays(services, 1);
  const lease = { instanceId: machine.instanceId, holder: 'dead (roll back)', takenAt: expiresAt, expiresAt };
  await services.documents.write(`leases/${machine.instanceId}.json`, lease);
  await until(services, () => sweep());
  expect(there(made).newVolume).toBe(true);
  expect((await told()).left).toMatchObject([{ run: DEAD, why: expect.stringContaining('leased') }]);
});

describe('a new volume is left when', () => {
  const cases: [string, (made: Work) => unknown, RegExp | undefined][] = [
    [
      'a swap that has ended names it: it was in use and is taken off for a while',
      ({ newVolumeId }) =>
        writeSwap(services, DEAD, machine.instanceId, { oldVolumeId: machine.volumeId, newVolumeId }),
      undefined,
    ],
    [
      'it has a retention: its turn comes with prune-volumes',
      ({ newVolumeId }) => {
        services.state.volumes.get(newVolumeId)!.tags['imageelves:retain-until'] = '2020-01-01';
      },
      undefined,
    ],
    [
      'it is attached',
      ({ newVolumeId }) => {
        const { createTime } = services.state.volumes.get(newVolumeId)!;
        services.state.volumes.get(newVolumeId)!.attachment = {
          instanceId: machine.instanceId,
          device: '/dev/sdf',
          deleteOnTermination: false,
          attachTime: createTime,
          attachedAt: createTime,
        };
      },
      undefined,
    ],
    [
      'it is of another snapshot, as one restored from a backup that copied the tags',
      ({ newVolumeId }) => {
        services.state.volumes.get(newVolumeId)!.snapshotId = newId('snap');
      },
      /not made of a snapshot that dead wrote/,
    ],
    [
      'its machine holds nothing at its device',
      () => {
        services.state.volumes.get(machine.volumeId)!.attachment = undefined;
      },
      /holds nothing/,
    ],
    [
      'another run has its machine',
      () => services.leases.take(machine.instanceId, 'other'),
      /changed by other/,
    ],
  ];
  test.each(cases)('%s', async (_name, prepare, why) => {
    const made = await work(DEAD);
    await prepare(made);
    await until(services, () => sweep());
    expect(there(made)).toEqual({ ...NOTHING, newVolume: true });
    const { leftVolumes, swept } = await told();
    expect(swept).toMatchObject([{ run: DEAD, removedVolumes: [] }]);
    expect(leftVolumes).toEqual(
      why === undefined ? [] : [{ volumeId: made.newVolumeId, why: expect.stringMatching(why) }],
    );
  });
});

test('a backup that copied the tags of a patched volume is no snapshot of a run', async () => {
  const backup = await snapshotOf(services, machine);
  const tags = { 'imageelves:run': DEAD, 'imageelves:purpose': 'patched', 'aws:dlm:managed': 'true' };
  services.state.snapshots.get(backup)!.tags = tags;
  const made = await work(DEAD);
  await until(services, () => sweep());
  expect(there(made)).toEqual(NOTHING);
  expect(services.state.snapshots.has(backup)).toBe(true);
});

test('what cannot be removed of one run does not stop the others, and is tried again', async () => {
  const made = { [DEAD]: await work(DEAD), second: await work('second') };
  states.set('arn:second', states.get(`arn:${DEAD}`)!);
  await writePlan(services, 'second', inDays(services, -2));
  services.faults.add({ service: 'ec2', operation: 'DeleteSnapshot', kind: 'throttle' });
  await sweep();
  const [failure, ...others] = (await told()).failed;
  expect(others).toEqual([]);
  expect(failure?.problem).toMatch(/RequestLimitExceeded/);
  const [failed, other] = failure?.run === DEAD ? [made[DEAD], made.second] : [made.second, made[DEAD]];
  expect(there(failed)).toMatchObject({ base: true, patched: true });
  expect(there(other)).toMatchObject({ base: false, patched: false });
  await until(services, () => sweep());
  expect([there(failed), there(other)]).toEqual([NOTHING, NOTHING]);
});

test('what cannot be removed fails the step, which names the run and the volume', async () => {
  const { newVolumeId } = await work(DEAD);
  await services.leases.take(machine.instanceId, 'other');
  await until(services, () => sweep());
  await services.leases.release(machine.instanceId, 'other');
  services.faults.add({ service: 'ec2', operation: 'DeleteVolume', kind: 'throttle' });
  await expect(sweep()).rejects.toMatchObject({
    name: 'SweepFailedError',
    message: expect.stringContaining(`${DEAD}: ${newVolumeId}: RequestLimitExceeded`),
  });
  await expect(sweep()).resolves.toMatchObject({ done: true });
  expect((await told()).failed).toEqual([]);
});

test('out of time it asks to be called again', async () => {
  const made = await work(DEAD);
  await expect(sweep(() => false)).resolves.toMatchObject({ done: false, sweptRuns: 0 });
  expect(there(made)).toEqual(ALL);
});

test('with nothing there it does nothing, and says so', async () => {
  await expect(sweep()).resolves.toEqual({ done: true, documentKey: KEY, sweptRuns: 0, left: 0 });
});

const OPERATIONS = [
  'DescribeInstances',
  'DescribeImages',
  'DescribeSnapshots',
  'DescribeVolumes',
  'TerminateInstances',
  'DeregisterImage',
  'DeleteSnapshot',
  'DeleteVolume',
];
const KINDS = ['throttle', 'error-after-effect', 'timeout-after-effect'] as const;
test.each(OPERATIONS.flatMap((operation) => KINDS.map((kind) => [operation, kind] as const)))(
  '%s breaks by %s, and the next time all of the dead run goes, and nothing else',
  async (operation, kind) => {
    const dead = await work(DEAD);
    const live = await work(LIVE);
    services.faults.add({ service: 'ec2', operation, kind });
    let failures = 0;
    await until(services, () =>
      sweep().catch(() => {
        failures += 1;
        return { done: failures > 5 };
      }),
    );
    expect(services.faults.unused()).toEqual([]);
    expect([there(dead), there(live)]).toEqual([NOTHING, ALL]);
    expect(services.state.volumes.get(machine.volumeId)!.deletedAt).toBeUndefined();
  },
);
