import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  ModifyInstanceAttributeCommand,
  StartInstancesCommand,
} from '@aws-sdk/client-ec2';
import { releaseLease, takeLease } from '../../aws/steps/leases';
import { planRollBack } from '../../aws/steps/plan-roll-back';
import { swapVolume } from '../../aws/swap/swap-volume';
import type {
  PlanDocument,
  SnapshotsDocument,
  SwapDocument,
  VolumeDocument,
} from '../../core/workflow/documents';
import { failureKey, planKey, snapshotsKey, swapKey, volumeKey } from '../../core/workflow/keys';
import { startTestServices, type TestServices } from '../support/aws-services';
import { addMachine, snapshotOf } from '../support/test-machines';
import { until } from '../support/whole-run';

const RUN = 'run-1';
const CLASS = 'class-1';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices({ maxAttempts: 1 });
});
afterEach(() => services.close());

interface Prepared {
  readonly instanceId: string;
  readonly oldVolumeId: string;
  readonly newVolumeId: string;
}

/** A stopped machine with its lease taken and a new volume made, as create-volume leaves it. */
async function prepared({ deleteOnTermination = true } = {}): Promise<Prepared> {
  const machine = await addMachine(services, { blocks: { 0: Buffer.alloc(524_288, 1) } });
  const { instanceId, volumeId: oldVolumeId } = machine;
  if (!deleteOnTermination) {
    await services.ec2.send(
      new ModifyInstanceAttributeCommand({
        InstanceId: instanceId,
        BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } }],
      }),
    );
  }
  const snapshotId = await snapshotOf(services, machine);
  const instance = await describeInstance(instanceId);
  const created = await services.ec2.send(
    new CreateVolumeCommand({
      SnapshotId: snapshotId,
      AvailabilityZone: instance.Placement!.AvailabilityZone!,
      VolumeType: 'gp3',
    }),
  );
  const newVolumeId = created.VolumeId!;
  const { documents } = services;
  const base: Partial<SnapshotsDocument> = { instanceId, launchTime: instance.LaunchTime!.toISOString() };
  const volumes: Partial<VolumeDocument> = {
    volumes: [{ oldVolumeId, newVolumeId, snapshotId, deviceName: '/dev/xvda' }],
  };
  await documents.write(planKey(RUN), { settings: { retainDays: 7 } } as PlanDocument);
  await documents.write(snapshotsKey(RUN, instanceId, 'base'), base);
  await documents.write(volumeKey(RUN, instanceId), volumes);
  await takeLease(services, { run: RUN, instanceId, classId: CLASS });
  await until(services, async () => ({
    done: services.state.volumes.get(newVolumeId)!.availableAt <= services.now().getTime(),
  }));
  return { instanceId, oldVolumeId, newVolumeId };
}

const swap = (instanceId: string, direction: 'forward' | 'back') =>
  until(services, () => swapVolume(services, { run: RUN, instanceId, direction }));

async function describeInstance(instanceId: string) {
  const answer = await services.ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  return answer.Reservations![0]!.Instances![0]!;
}

/** What the instance holds at its root device, and the flag of that attachment. */
async function rootOf(instanceId: string) {
  const [mapping] = (await describeInstance(instanceId)).BlockDeviceMappings ?? [];
  return { volumeId: mapping?.Ebs?.VolumeId, deleteOnTermination: mapping?.Ebs?.DeleteOnTermination };
}

async function tagsOf(volumeId: string): Promise<Record<string, string>> {
  const { Volumes } = await services.ec2.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
  return Object.fromEntries((Volumes![0]!.Tags ?? []).map(({ Key, Value }) => [Key!, Value!]));
}

test('puts the new volume in the place of the old one, with the same flag, and tags the old one', async () => {
  const { instanceId, oldVolumeId, newVolumeId } = await prepared();
  await swap(instanceId, 'forward');
  expect(await rootOf(instanceId)).toEqual({ volumeId: newVolumeId, deleteOnTermination: true });
  expect(await tagsOf(oldVolumeId)).toMatchObject({
    'imageelves:run': RUN,
    'imageelves:instance': instanceId,
    'imageelves:replaced-by': newVolumeId,
    'imageelves:retain-until': expect.stringMatching(/^\d{4}-/),
  });
  expect(await services.documents.read<SwapDocument>(swapKey(RUN, instanceId))).toMatchObject({
    direction: 'forward',
    done: true,
  });
});

test('keeps a flag that says the volume outlives the instance', async () => {
  const { instanceId, newVolumeId } = await prepared({ deleteOnTermination: false });
  await swap(instanceId, 'forward');
  expect(await rootOf(instanceId)).toEqual({ volumeId: newVolumeId, deleteOnTermination: false });
});

test('goes back, and takes the tags off the volume that is in use again', async () => {
  const { instanceId, oldVolumeId, newVolumeId } = await prepared();
  await swap(instanceId, 'forward');
  await swap(instanceId, 'back');
  expect(await rootOf(instanceId)).toEqual({ volumeId: oldVolumeId, deleteOnTermination: true });
  expect(Object.keys(await tagsOf(oldVolumeId))).not.toContain('imageelves:retain-until');
  expect(await tagsOf(newVolumeId)).toMatchObject({ 'imageelves:replaced-by': oldVolumeId });
});

test('back does nothing where nothing was swapped', async () => {
  const { instanceId, oldVolumeId } = await prepared();
  await expect(swap(instanceId, 'back')).resolves.toMatchObject({ state: 'nothing was swapped' });
  expect((await rootOf(instanceId)).volumeId).toBe(oldVolumeId);
});

brokenCalls('forward');
brokenCalls('back');

/** Every call of a swap, broken once: before it has its effect, and after. Whoever tries again arrives all the same. */
function brokenCalls(direction: 'forward' | 'back'): void {
  const operations = [
    'DescribeInstances',
    'DescribeVolumes',
    'DetachVolume',
    'AttachVolume',
    'ModifyInstanceAttribute',
    'CreateTags',
    'DeleteTags',
  ];
  const kinds = ['throttle', 'error-after-effect', 'timeout-after-effect', 'timeout'] as const;
  const cases = operations.flatMap((operation) => kinds.map((kind) => [operation, kind] as const));
  test.each(cases)(`${direction}: %s breaks by %s, and a retry ends the swap`, async (operation, kind) => {
    const { instanceId, oldVolumeId, newVolumeId } = await prepared();
    if (direction === 'back') await swap(instanceId, 'forward');
    services.faults.add({ service: 'ec2', operation, kind });
    let failures = 0;
    await until(services, async () => {
      try {
        return await swapVolume(services, { run: RUN, instanceId, direction });
      } catch {
        failures += 1;
        return { done: failures > 5 };
      }
    });
    expect(services.faults.unused()).toEqual([]);
    const wanted = direction === 'forward' ? newVolumeId : oldVolumeId;
    expect(await rootOf(instanceId)).toEqual({ volumeId: wanted, deleteOnTermination: true });
  });
}

test('a machine that was started since its snapshot is not touched', async () => {
  const { instanceId, oldVolumeId } = await prepared();
  await services.ec2.send(new StartInstancesCommand({ InstanceIds: [instanceId] }));
  await expect(swap(instanceId, 'forward')).rejects.toMatchObject({ name: 'InstanceStartedError' });
  await expect(swap(instanceId, 'back')).resolves.toMatchObject({ done: true });
  expect((await rootOf(instanceId)).volumeId).toBe(oldVolumeId);
});

test('a machine that was started and stopped again since its snapshot is not touched', async () => {
  const { instanceId, oldVolumeId } = await prepared();
  services.state.instances.get(instanceId)!.launchTime += 60_000;
  await expect(swap(instanceId, 'forward')).rejects.toMatchObject({ name: 'InstanceStartedError' });
  expect((await rootOf(instanceId)).volumeId).toBe(oldVolumeId);
});

test('started between the journal and the detach: its old volume stays', async () => {
  const { instanceId, oldVolumeId } = await prepared();
  services.faults.add({ service: 'ec2', operation: 'DetachVolume', kind: 'throttle' });
  await expect(swapVolume(services, { run: RUN, instanceId, direction: 'forward' })).rejects.toThrow();
  services.state.instances.get(instanceId)!.state = 'running';
  await expect(swap(instanceId, 'forward')).rejects.toMatchObject({ name: 'InstanceStartedError' });
  await expect(swap(instanceId, 'back')).resolves.toMatchObject({ done: true });
  expect((await rootOf(instanceId)).volumeId).toBe(oldVolumeId);
});

test('between detach and attach nobody can start the machine, and the swap ends', async () => {
  const { instanceId, newVolumeId } = await prepared();
  services.faults.add({ service: 'ec2', operation: 'AttachVolume', kind: 'throttle' });
  await expect(swapVolume(services, { run: RUN, instanceId, direction: 'forward' })).rejects.toThrow();
  expect((await rootOf(instanceId)).volumeId).toBeUndefined();
  await expect(services.ec2.send(new StartInstancesCommand({ InstanceIds: [instanceId] }))).rejects.toThrow();
  await swap(instanceId, 'forward');
  expect((await rootOf(instanceId)).volumeId).toBe(newVolumeId);
});

test('a volume that somebody else put at the root is not touched', async () => {
  const { instanceId, oldVolumeId } = await prepared();
  const stranger = await addMachine(services, { name: 'stranger' });
  await services.ec2.send(new DetachVolumeCommand({ VolumeId: oldVolumeId }));
  services.state.volumes.get(stranger.volumeId)!.attachment = undefined;
  await until(services, async () => ({ done: (await rootOf(instanceId)).volumeId === undefined }));
  await services.ec2.send(
    new AttachVolumeCommand({ VolumeId: stranger.volumeId, InstanceId: instanceId, Device: '/dev/xvda' }),
  );
  await expect(swap(instanceId, 'forward')).rejects.toMatchObject({ name: 'VolumeChangedError' });
  expect((await rootOf(instanceId)).volumeId).toBe(stranger.volumeId);
});

test('a new volume that is attached elsewhere blocks the swap, and the old one goes back', async () => {
  const { instanceId, oldVolumeId, newVolumeId } = await prepared();
  const stranger = await addMachine(services, { name: 'stranger' });
  await services.ec2.send(
    new AttachVolumeCommand({ VolumeId: newVolumeId, InstanceId: stranger.instanceId, Device: '/dev/sdf' }),
  );
  await expect(swap(instanceId, 'forward')).rejects.toMatchObject({ name: 'SwapBlockedError' });
  await swap(instanceId, 'back');
  expect(await rootOf(instanceId)).toEqual({ volumeId: oldVolumeId, deleteOnTermination: true });
});

test('a machine whose old volume was deleted keeps the new one: nothing is detached that nothing can follow', async () => {
  const { instanceId, oldVolumeId, newVolumeId } = await prepared();
  await swap(instanceId, 'forward');
  await services.ec2.send(new DeleteVolumeCommand({ VolumeId: oldVolumeId }));
  await expect(swap(instanceId, 'back')).rejects.toMatchObject({ name: 'SwapBlockedError' });
  expect((await rootOf(instanceId)).volumeId).toBe(newVolumeId);
});

test('without the lease nothing is touched', async () => {
  const { instanceId, oldVolumeId } = await prepared();
  await releaseLease(services, { run: RUN, instanceId, classId: CLASS, outcome: 'failed' });
  await takeLease(services, { run: 'run-2', instanceId, classId: CLASS });
  await expect(swap(instanceId, 'forward')).rejects.toMatchObject({ name: 'LeaseHeldError' });
  expect((await rootOf(instanceId)).volumeId).toBe(oldVolumeId);
});

test('a roll back takes over the lease of a patch that failed half-way, and of no other', async () => {
  const { instanceId, oldVolumeId } = await prepared();
  services.faults.add({ service: 'ec2', operation: 'AttachVolume', kind: 'throttle' });
  await expect(swapVolume(services, { run: RUN, instanceId, direction: 'forward' })).rejects.toThrow();
  const rollBack = { run: RUN, instanceId };
  await expect(takeLease(services, rollBack)).rejects.toMatchObject({ name: 'LeaseHeldError' });
  await services.documents.write(failureKey(RUN, instanceId), { error: 'X' });

  const execution = { id: 'arn', name: 'undo', startTime: '' };
  const { itemCount } = await planRollBack(services, { input: { run: RUN }, execution });
  expect(itemCount).toBe(1);
  await takeLease(services, rollBack);
  await swap(instanceId, 'back');
  await releaseLease(services, { ...rollBack, outcome: 'rolled-back' });
  expect(await rootOf(instanceId)).toEqual({ volumeId: oldVolumeId, deleteOnTermination: true });
  expect((await planRollBack(services, { input: { run: RUN }, execution })).itemCount).toBe(0);
});
