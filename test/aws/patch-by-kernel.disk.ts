import { applyManifest } from '../../aws/steps/apply-manifest';
import { createVolume } from '../../aws/steps/create-volume';
import { takeLease } from '../../aws/steps/leases';
import { verifyInstance } from '../../aws/steps/verify-instance';
import { swapVolume } from '../../aws/swap/swap-volume';
import type { ApplyDocument } from '../../core/workflow/documents';
import { applyKey } from '../../core/workflow/keys';
import type { PatchItem } from '../../core/workflow/payloads';
import { startTestServices, type TestServices } from '../support/aws-services';
import { DiskFleet, FLEET_INPUT, FLEET_UPDATES } from '../support/disk-fleet';
import { kernelForTests } from '../support/kernel-engine';
import type { TestMachine } from '../support/test-machines';
import { matchedMember, until, untilCaptured } from '../support/whole-run';

/** An update captured on an ext4 machine, and a stopped member whose root is XFS. */
let fleet: DiskFleet;
let services: TestServices;
let machine: TestMachine;
let item: PatchItem;
beforeAll(async () => {
  fleet = await DiskFleet.make();
});
afterAll(() => fleet.remove());
afterEach(() => services.close());

async function captured(options: { script?: string } = {}, input: object = {}): Promise<void> {
  services = await startTestServices({ maxAttempts: 1, kernel: await kernelForTests() });
  fleet.use(services);
  await fleet.machine('live', { running: true });
  machine = await fleet.machine('member', { filesystem: 'xfs', ...options });
  await untilCaptured(services, FLEET_UPDATES, { ...FLEET_INPUT, ...input });
  item = await matchedMember(services, machine.instanceId);
  await takeLease(services, item);
}

async function swapAndVerify(): Promise<void> {
  await until(services, () => createVolume(services, item));
  await until(services, () => swapVolume(services, { ...item, direction: 'forward' }));
  await verifyInstance(services, item);
  const text = await fleet.read(machine.instanceId, 'cat $MNT/etc/hostname $MNT/etc/app.conf');
  expect(text).toBe('member\nsetting = new\n');
}

const applied = (): Promise<ApplyDocument> =>
  services.documents.read<ApplyDocument>(applyKey(item.run, machine.instanceId));

test('each invocation works out other blocks than the last: what is put hangs together all the same', async () => {
  await captured();
  let invocations = 0;
  await until(services, async () => {
    invocations += 1;
    // Runs out of time after some puts, is killed in the middle of one, and fails as it completes.
    let puts = 5;
    if (invocations === 2)
      services.faults.add({ service: 'ebs', operation: 'PutSnapshotBlock', kind: 'timeout', after: 2 });
    if (invocations === 3)
      services.faults.add({ service: 'ebs', operation: 'CompleteSnapshot', kind: 'error-after-effect' });
    try {
      return await applyManifest(services, item, () => invocations > 2 || puts-- > 0);
    } catch {
      return { done: false };
    }
  });
  expect(invocations).toBeGreaterThan(3);
  expect(await applied()).toMatchObject({ engine: 'kernel', attempts: 3 });
  await swapAndVerify();
}, 600_000);

test('a machine that was not shut down cleanly is patched with its log replayed, and the kernel judges it where the run asks', async () => {
  // What a power cut leaves: the log says what is not yet in its place. What the test reads later is on the disk before.
  const script = 'sync -f $MNT/etc/hostname; mkdir $MNT/late; xfs_io -x -c "shutdown -f" $MNT';
  await captured({ script }, { verify: 'kernel' });
  const judged = jest.spyOn(services.kernel!, 'verify');
  await until(services, () => applyManifest(services, item, () => true));
  expect(await judged.mock.results[0]?.value).toEqual([]);
  await swapAndVerify();
}, 600_000);

test('without the kernel engine such a machine is left alone', async () => {
  await captured();
  const { kernel, ...without } = services;
  expect(kernel).toBeDefined();
  await expect(applyManifest(without, item, () => true)).rejects.toMatchObject({
    name: 'UnsupportedFeatureError',
    facts: { features: ['xfs'], purpose: 'write' },
  });
  expect(services.calls).not.toContain('StartSnapshot');
}, 600_000);
