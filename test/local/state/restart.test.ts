import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ManualClock } from '../../../local/clock';
import { createEbs } from '../../../local/ebs';
import { createEc2 } from '../../../local/ec2';
import { ImaginaryMachines } from '../../../local/instances';
import { addInstance, EventLog, LocalEc2State, MemoryStorage } from '../../../local/state';

let folder: string;
const storage = new MemoryStorage();

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'imageelves-state-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function open(clock: ManualClock) {
  const events = new EventLog(clock, path.join(folder, 'events.jsonl'));
  const state = await LocalEc2State.open({ clock, events, storage, folder });
  const machines = new ImaginaryMachines();
  const ec2 = createEc2(state, machines);
  const call = (operation: string, input: object) =>
    ({ ...ec2.handlers, ...createEbs(state) })[operation]?.(input as never, { headers: {} }) as Promise<
      Record<string, string>
    >;
  const close = async () => {
    await ec2.lifecycle.close();
    await state.flush();
    await events.close();
  };
  return { state, machines, ec2, call, close };
}

test('a restart keeps the fleet, boots what was running and settles what was under way', async () => {
  const first = await open(new ManualClock());
  const makeVolume = async () => {
    const { VolumeId = '' } = await first.call('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1 });
    return VolumeId;
  };
  const [running, stopping] = [
    addInstance(first.state, { name: 'one', volumeId: await makeVolume(), privateIp: '10.0.0.5' }),
    addInstance(first.state, { name: 'two', volumeId: await makeVolume(), privateIp: '10.0.0.6' }),
  ];
  const clock = first.state.clock as ManualClock;
  await clock.advance(10_000);
  const root = [...first.state.volumes.keys()][0] ?? '';
  await first.state.storage.writeBlock(root, 3, Buffer.alloc(524_288, 1));
  const { SnapshotId = '' } = await first.call('CreateSnapshot', { VolumeId: root });
  const { SnapshotId: upload = '' } = await first.call('StartSnapshot', { VolumeSize: 1 });
  await first.call('StartInstances', { InstanceIds: [running.instanceId, stopping.instanceId] });
  await clock.advance(10_000);
  await first.call('StopInstances', { InstanceIds: [stopping.instanceId] });
  await first.close();

  // The clock of the next process stands before that of the first, which may have run faster.
  const second = await open(new ManualClock(new Date('2025-12-31').getTime()));
  second.ec2.lifecycle.resume();
  await second.ec2.lifecycle.settled();
  expect(second.state.instances.get(running.instanceId)?.state).toBe('running');
  expect(second.machines.isBooted(running.instanceId)).toBe(true);
  expect(second.state.instances.get(stopping.instanceId)?.state).toBe('stopped');
  expect((await second.state.blockMap(SnapshotId)).toRuns()).toEqual([[3, 1, SnapshotId]]);
  const described = (await second.call('DescribeSnapshots', {})) as unknown as {
    Snapshots: { SnapshotId: string; State: string }[];
  };
  expect(described.Snapshots.map(({ SnapshotId: id, State }) => [id, State])).toEqual([
    [SnapshotId, 'completed'],
    [upload, 'error'],
  ]);
  await second.close();

  const events = (await readFile(path.join(folder, 'events.jsonl'), 'utf8')).trim().split('\n');
  const states = events.map((line) => JSON.parse(line) as { instanceId: string; to: string });
  expect(states.filter(({ instanceId }) => instanceId === stopping.instanceId).map(({ to }) => to)).toEqual([
    'pending',
    'running',
    'stopping',
    'stopped',
  ]);
});
