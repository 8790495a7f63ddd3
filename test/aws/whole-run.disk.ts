import type { Report } from '../../core/report/report';
import { reportKey } from '../../core/workflow/keys';
import { diskCloud } from '../support/disk-cloud';
import { FLEET_INPUT, FLEET_UPDATES } from '../support/disk-fleet';
import { wholeRun } from '../support/whole-run';

const cloud = diskCloud();

const machines = async (): Promise<Report['machines']> =>
  (await cloud.services.documents.read<Report>(reportKey('test-run'))).machines;

test('a live representative is updated, equal stopped machines are patched, the one that differs gets a clone of its own', async () => {
  const live = await cloud.fleet.machine('live', { running: true });
  // The witness is the first by its id.
  const twin = await cloud.fleet.machine('twin', { instanceId: 'i-00000000000000001' });
  const other = await cloud.fleet.machine('other');
  const script = "printf 'setting = mine\\n' > $MNT/etc/app.conf";
  const changed = await cloud.fleet.machine('changed', { script });

  const output = await wholeRun(cloud.services, FLEET_UPDATES, { ...FLEET_INPUT, dataPoints: 2 });
  expect({ ...output, machines: await machines() }).toMatchObject({
    patched: 3,
    updatedOnline: 1,
    // On the running machine, on a witness, and on the clone of the one that differs.
    onlineUpdates: 3,
    failed: 0,
    notPatched: 0,
    classes: 2,
    succeeded: true,
  });
  for (const [name, { instanceId }] of Object.entries({ twin, other, changed })) {
    const text = await cloud.fleet.read(
      instanceId,
      'cat $MNT/etc/hostname $MNT/etc/app.conf $MNT/usr/lib/libx.so',
    );
    expect(text).toBe(`${name}\nsetting = new\nnew library\n`);
    expect(cloud.services.state.instances.get(instanceId)?.state).toBe('stopped');
  }
  // The clone was changed so that it does none of the work of its original; none of that reached the original.
  expect(await cloud.fleet.read(changed.instanceId, 'ls $MNT/etc/systemd/system')).toBe(
    'multi-user.target.wants\n',
  );
  // Nothing temporary is left, and the old volumes are.
  expect([...cloud.services.state.snapshots.keys()]).toEqual([]);
  expect([...cloud.services.state.images.keys()]).toEqual([]);
  expect(cloud.services.state.volumes.has(twin.volumeId)).toBe(true);
  expect(cloud.fleet.rootVolumeId(live.instanceId)).toBe(live.volumeId);
}, 120_000);

test('a dry run changes nothing and says what a run would do', async () => {
  const { instanceId, volumeId } = await cloud.fleet.machine('live', { running: true });
  const twin = await cloud.fleet.machine('twin');
  const output = await wholeRun(cloud.services, FLEET_UPDATES, { ...FLEET_INPUT, dryRun: true });
  expect(output).toMatchObject({ succeeded: true, patched: 0, classes: 1, targets: 2 });
  expect(cloud.services.runCommand.sent).toEqual([]);
  expect(cloud.fleet.rootVolumeId(instanceId)).toBe(volumeId);
  expect(cloud.fleet.rootVolumeId(twin.instanceId)).toBe(twin.volumeId);
  expect((await machines()).map(({ outcome }) => outcome).sort()).toEqual([
    'would-be-patched',
    'would-be-updated-online',
  ]);
}, 120_000);

test('targets that are nobody fail the run with a reason', async () => {
  const output = await wholeRun(cloud.services, FLEET_UPDATES, FLEET_INPUT);
  expect(output).toMatchObject({
    succeeded: false,
    summary: expect.stringContaining('No instance has the tags'),
  });
}, 60_000);

test('an update that fails on its representative touches nobody else', async () => {
  await cloud.fleet.machine('live', { running: true });
  const twin = await cloud.fleet.machine('twin');
  const success = { Status: 'Success', ResponseCode: 0 };
  cloud.services.runCommand.answers = [
    success,
    { Status: 'Failed', ResponseCode: 1, StandardErrorContent: 'E: no' },
  ];
  const output = await wholeRun(cloud.services, FLEET_UPDATES, FLEET_INPUT);
  expect(output).toMatchObject({ succeeded: false, patched: 0, failed: 1, notPatched: 1 });
  expect(cloud.fleet.rootVolumeId(twin.instanceId)).toBe(twin.volumeId);
}, 120_000);
