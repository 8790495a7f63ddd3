import { snapshotInstance } from '../../aws/steps/snapshot-instance';
import { QUIESCE } from '../../core/update/quiesce';
import type { SnapshotsDocument } from '../../core/workflow/documents';
import { planKey, snapshotsKey } from '../../core/workflow/keys';
import { startTestServices, type TestServices } from '../support/aws-services';
import { addMachine } from '../support/test-machines';
import { until } from '../support/whole-run';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices({ maxAttempts: 1 });
});
afterEach(() => services.close());

const count = (operation: string): number => services.calls.filter((call) => call === operation).length;

test('snapshots each volume once, with tags in the call that makes it, and waits until it can be read', async () => {
  const { instanceId, volumeId } = await addMachine(services);
  const input = { run: 'r', instanceId, purpose: 'base' } as const;
  await until(services, () => snapshotInstance(services, input));
  await snapshotInstance(services, input);
  expect(count('CreateSnapshot')).toBe(1);
  const document = await services.documents.read<SnapshotsDocument>(snapshotsKey('r', instanceId, 'base'));
  expect(document).toMatchObject({
    state: 'stopped',
    done: true,
    snapshots: [{ volumeId, isRoot: true, sizeGib: 1 }],
  });
  const [snapshot] = [...services.state.snapshots.values()];
  expect(snapshot?.tags).toEqual({
    'imageelves:run': 'r',
    'imageelves:instance': instanceId,
    'imageelves:volume': volumeId,
    'imageelves:purpose': 'base',
  });
});

test('a snapshot whose answer was lost is found by its tags, and not made twice', async () => {
  const { instanceId } = await addMachine(services);
  const input = { run: 'r', instanceId, purpose: 'base' } as const;
  services.faults.add({ service: 'ec2', operation: 'CreateSnapshot', kind: 'timeout-after-effect' });
  await expect(snapshotInstance(services, input)).rejects.toThrow();
  await until(services, () => snapshotInstance(services, input));
  expect(services.state.snapshots.size).toBe(1);
});

test('the caches of a running machine are written to its disk before the first snapshot', async () => {
  const { instanceId } = await addMachine(services, { running: true });
  const input = { run: 'r', instanceId, purpose: 'before', classId: 'c' } as const;
  services.runCommand.answers = [{ Status: 'InProgress' }, { Status: 'Success', ResponseCode: 0 }];
  await snapshotInstance(services, input);
  await snapshotInstance(services, input);
  expect(services.runCommand.sent).toMatchObject([{ instanceId, commands: QUIESCE }]);
  expect(count('CreateSnapshot')).toBe(0);
  await until(services, () => snapshotInstance(services, input));
  expect(count('CreateSnapshot')).toBe(1);
  expect(services.runCommand.sent).toHaveLength(1);
});

test.each([
  ['document', 1],
  ['script', 0],
])(
  'after an update of kind %s the caches are written %d times: a script has done so itself',
  async (kind, times) => {
    const { instanceId } = await addMachine(services, { running: true });
    await services.documents.write(planKey('r'), { settings: { update: { kind } } });
    await until(services, () => snapshotInstance(services, { run: 'r', instanceId, purpose: 'after' }));
    expect(services.runCommand.sent.map(({ comment }) => comment)).toEqual(
      Array<string>(times).fill(`imageelves r ${instanceId}: sync after`),
    );
    expect(count('CreateSnapshot')).toBe(1);
  },
);

test('a machine that is starting or stopping is waited for, one that is gone is not', async () => {
  const { instanceId } = await addMachine(services);
  const input = { run: 'r', instanceId, purpose: 'base' } as const;
  const record = services.state.instances.get(instanceId)!;
  record.state = 'stopping';
  expect((await snapshotInstance(services, input)).done).toBe(false);
  record.state = 'terminated';
  await expect(snapshotInstance(services, input)).rejects.toMatchObject({ name: 'InstanceUnsuitableError' });
  expect(count('CreateSnapshot')).toBe(0);
});
