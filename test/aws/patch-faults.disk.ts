import { applyManifest } from '../../aws/steps/apply-manifest';
import { createVolume } from '../../aws/steps/create-volume';
import { takeLease } from '../../aws/steps/leases';
import { verifyInstance } from '../../aws/steps/verify-instance';
import { swapVolume } from '../../aws/swap/swap-volume';
import type { ApplyDocument, MatchDocument } from '../../core/workflow/documents';
import { applyKey, classesKey, machinePrefix } from '../../core/workflow/keys';
import type { ClassItem, PatchItem } from '../../core/workflow/payloads';
import { diskCloud } from '../support/disk-cloud';
import { FLEET_INPUT, FLEET_UPDATES } from '../support/disk-fleet';
import type { TestMachine } from '../support/test-machines';
import { matchedMember, type Step, until, untilCaptured } from '../support/whole-run';

/** One captured update, and a member for each test that has matched and is to be patched. */
const cloud = diskCloud({ maxAttempts: 1 });
let machine: TestMachine;
let item: PatchItem;
beforeEach(async () => {
  await cloud.fleet.machine('live', { running: true });
  machine = await cloud.fleet.machine('twin');
  await untilCaptured(cloud.services, FLEET_UPDATES, FLEET_INPUT);
  item = await matchedMember(cloud.services, machine.instanceId);
  await takeLease(cloud.services, item);
}, 60_000);

const steps: readonly Step[] = [
  () => applyManifest(cloud.services, item, () => true),
  () => createVolume(cloud.services, item),
  () => swapVolume(cloud.services, { ...item, direction: 'forward' }),
  async () => ({ done: (await verifyInstance(cloud.services, item)).verified }),
];

/** As the state machine: a step that throws is called again. @returns how often one threw */
async function patchWithRetries(): Promise<number> {
  let failures = 0;
  for (const step of steps) {
    await until(cloud.services, async () => {
      try {
        return await step();
      } catch (error) {
        failures += 1;
        if (failures > 10) throw error;
        return { done: false };
      }
    });
  }
  return failures;
}

const count = (operation: string): number => cloud.services.calls.filter((call) => call === operation).length;

async function expectPatched(): Promise<void> {
  const text = await cloud.fleet.read(machine.instanceId, 'cat $MNT/etc/hostname $MNT/etc/app.conf');
  expect(text).toBe('twin\nsetting = new\n');
  expect(cloud.fleet.rootVolumeId(machine.instanceId)).not.toBe(machine.volumeId);
}

const operations: readonly [service: string, operation: string][] = [
  ['ebs', 'ListSnapshotBlocks'],
  ['ebs', 'GetSnapshotBlock'],
  ['ebs', 'StartSnapshot'],
  ['ebs', 'PutSnapshotBlock'],
  ['ebs', 'CompleteSnapshot'],
  ['ec2', 'DescribeSnapshots'],
  ['ec2', 'CreateVolume'],
  ['ec2', 'DescribeVolumes'],
  ['ec2', 'DetachVolume'],
  ['ec2', 'AttachVolume'],
  ['s3', 'GetObject'],
  ['s3', 'PutObject'],
];

test.each(operations)(
  '%s %s fails after its effect: the step is called again and the patch ends',
  async (service, operation) => {
    cloud.services.calls.length = 0;
    cloud.services.faults.add({ service, operation, kind: 'error-after-effect', after: 1 });
    cloud.services.faults.add({ service, operation, kind: 'timeout' });
    expect(await patchWithRetries()).toBeGreaterThan(0);
    await expectPatched();
    // Whatever was retried, there is one patched snapshot and one new volume.
    const patched = [...cloud.services.state.volumes.values()].filter(
      ({ tags }) => tags['imageelves:purpose'] === 'patched',
    );
    expect(patched).toHaveLength(1);
  },
  60_000,
);

test('an invocation that runs out of time again and again is followed by others, and no block is put twice', async () => {
  cloud.services.calls.length = 0;
  let invocations = 0;
  await until(cloud.services, () => {
    invocations += 1;
    let puts = 2;
    return applyManifest(cloud.services, item, () => puts-- > 0);
  });
  const applied = await cloud.services.documents.read<ApplyDocument>(applyKey(item.run, machine.instanceId));
  expect(invocations).toBeGreaterThan(3);
  expect(count('PutSnapshotBlock')).toBe(applied.snapshots[0]!.putBlocks);
  expect(await patchWithRetries()).toBe(0);
  await expectPatched();
}, 60_000);

test('a snapshot that is refused after all is written anew', async () => {
  const patched = () =>
    [...cloud.services.state.snapshots.values()].filter(
      ({ tags }) => tags['imageelves:purpose'] === 'patched',
    );
  expect((await applyManifest(cloud.services, item, () => true)).done).toBe(false);
  // As EBS does some time after CompleteSnapshot, for a count or a checksum that is not its own.
  patched()[0]!.errorMessage = 'Checksum mismatch for snapshot';
  expect(await patchWithRetries()).toBe(0);
  expect(patched()).toHaveLength(2);
  await expectPatched();
}, 60_000);

test('a manifest that is not the one that was matched patches nobody', async () => {
  const bytes = Buffer.from((await cloud.services.documents.findBytes(item.manifestKey))!);
  bytes[bytes.length - 10]! ^= 1;
  await cloud.services.documents.writeText(item.manifestKey, bytes, 'application/json');
  await expect(applyManifest(cloud.services, item, () => true)).rejects.toMatchObject({
    name: 'ManifestDigestError',
  });
  expect(count('StartSnapshot')).toBe(0);
  expect(cloud.fleet.rootVolumeId(machine.instanceId)).toBe(machine.volumeId);
}, 60_000);

test('a pack that is damaged in the bucket patches nobody', async () => {
  const [pack] = await cloud.services.documents.list('packs/');
  const bytes = Buffer.from((await cloud.services.documents.findBytes(pack!))!);
  bytes[0]! ^= 1;
  await cloud.services.documents.writeText(pack!, bytes, 'application/octet-stream');
  await expect(applyManifest(cloud.services, item, () => true)).rejects.toMatchObject({
    name: 'PackInvalidError',
  });
  expect(count('StartSnapshot')).toBe(0);
}, 60_000);

test('what a member cost is written down', async () => {
  const keys = await cloud.services.documents.list(machinePrefix(item.run, machine.instanceId));
  const match = await cloud.services.documents.read<MatchDocument>(
    keys.find((key) => key.includes('match-'))!,
  );
  expect(match).toMatchObject({ matched: true, calls: { putBlocks: 0, listCalls: 1 } });
  expect(match.calls.getBlocks).toBeGreaterThan(0);
  const [one] = await cloud.services.documents.readLines<ClassItem>(classesKey(item.run, 1));
  expect(one).toMatchObject({ memberCount: 1, representative: { kind: 'live' } });
}, 60_000);
