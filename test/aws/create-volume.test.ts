import { createVolume } from '../../aws/steps/create-volume';
import { launchClone } from '../../aws/steps/launch-clone';
import type { ApplyDocument } from '../../core/workflow/documents';
import { applyKey } from '../../core/workflow/keys';
import { startTestServices, type TestServices } from '../support/aws-services';
import { addMachine, snapshotOf, type TestMachine } from '../support/test-machines';
import { until } from '../support/whole-run';

let services: TestServices;
let machine: TestMachine;
let item: { run: string; classId: string; instanceId: string };
beforeEach(async () => {
  services = await startTestServices({ maxAttempts: 1 });
  machine = await addMachine(services, { blocks: { 0: Buffer.alloc(524_288, 1) } });
  const { instanceId, volumeId } = machine;
  item = { run: 'r', classId: 'c', instanceId };
  const snapshotId = await snapshotOf(services, machine);
  const snapshot = { volumeId, snapshotId, deviceName: '/dev/xvda', isRoot: true, sizeGib: 1 };
  await services.documents.write(applyKey('r', instanceId), {
    snapshots: [snapshot],
  } as unknown as ApplyDocument);
});
afterEach(() => services.close());

const patched = () =>
  [...services.state.volumes.values()].filter(({ tags }) => tags['imageelves:purpose'] === 'patched');

test('a new volume is like the old one as it is now, and carries the run', async () => {
  const old = services.state.volumes.get(machine.volumeId)!;
  Object.assign(old, {
    sizeGiB: 30,
    iops: 4000,
    throughput: 250,
    tags: { Team: 'web', 'imageelves:run': 'earlier' },
  });
  await until(services, () => createVolume(services, item));
  expect(patched()).toMatchObject([
    {
      sizeGiB: 30,
      volumeType: 'gp3',
      iops: 4000,
      throughput: 250,
      availabilityZone: old.availabilityZone,
      encrypted: false,
      tags: { Team: 'web', 'imageelves:run': 'r', 'imageelves:instance': machine.instanceId },
    },
  ]);
});

test.each(['io1', 'gp2', 'standard'])('a volume of type %s gets another of that type', async (volumeType) => {
  const old = services.state.volumes.get(machine.volumeId)!;
  const iops = volumeType === 'io1' ? 100 : undefined;
  Object.assign(old, { volumeType, iops, throughput: undefined, sizeGiB: 4 });
  await until(services, () => createVolume(services, item));
  expect(patched()).toMatchObject([{ volumeType, sizeGiB: 4 }]);
});

test('a tag list that is full leaves room for the tags of the run', async () => {
  const tags = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`tag-${at}`, 'x']));
  services.state.volumes.get(machine.volumeId)!.tags = tags;
  await until(services, () => createVolume(services, item));
  expect(Object.keys(patched()[0]!.tags)).toHaveLength(50);
  expect(patched()[0]!.tags['imageelves:run']).toBe('r');
});

test('a volume whose answer was lost is found by its token, and not made twice', async () => {
  services.faults.add({ service: 'ec2', operation: 'CreateVolume', kind: 'timeout-after-effect' });
  await expect(createVolume(services, item)).rejects.toThrow();
  const { volumeIds } = await until(services, () => createVolume(services, item));
  expect(patched().map(({ volumeId }) => volumeId)).toEqual(volumeIds);
});

test('a volume that vanishes, as with a key that may not be used, is an error', async () => {
  await createVolume(services, item);
  services.state.volumes.delete(patched()[0]!.volumeId);
  await expect(until(services, () => createVolume(services, item))).rejects.toMatchObject({
    name: 'VolumeFailedError',
    message: expect.stringContaining('vanished'),
  });
});

test('without a network for clones none is launched', async () => {
  await expect(launchClone(services, item, undefined, () => true)).rejects.toMatchObject({
    name: 'CloneFailedError',
    nextStep: expect.stringContaining('network for clones'),
  });
});
