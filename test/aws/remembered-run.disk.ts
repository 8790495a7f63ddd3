import type { Report } from '../../core/report/report';
import { reportKey } from '../../core/workflow/keys';
import type { UpdatesDocument } from '../../core/workflow/updates-document';
import { diskCloud } from '../support/disk-cloud';
import { CHANGED_BY_UPDATE, FLEET_INPUT, FLEET_UPDATES } from '../support/disk-fleet';
import { putRecording } from '../support/fake-recording';
import { wholeRun } from '../support/whole-run';

const cloud = diskCloud();
beforeEach(async () => {
  const { onSend } = cloud.services.runCommand;
  cloud.services.runCommand.onSend = async (command) => {
    await onSend(command);
    if (!command.comment.endsWith(': update')) return;
    await putRecording(cloud.services, command, { read: ['/etc/mode.conf'], changed: CHANGED_BY_UPDATE });
  };
});

const updatesSent = (): number =>
  cloud.services.runCommand.sent.filter(({ comment }) => comment.endsWith(': update')).length;
const reportOf = (run: string): Promise<Report> => cloud.services.documents.read<Report>(reportKey(run));
const MODE = 'echo one > $MNT/etc/mode.conf';

test('the same update on another day patches at once who fits what was captured, and runs online only for who read something else', async () => {
  await cloud.fleet.machine('live', { running: true, script: MODE });
  await cloud.fleet.machine('first', { script: MODE });
  await wholeRun(cloud.services, FLEET_UPDATES, FLEET_INPUT, 'first-run');
  expect(updatesSent()).toBe(1);

  const twin = await cloud.fleet.machine('twin', { script: MODE });
  const other = await cloud.fleet.machine('other', { script: 'echo two > $MNT/etc/mode.conf' });
  const targets = { instanceIds: [twin.instanceId, other.instanceId] };
  const again = { ...FLEET_INPUT, targets };
  const output = await wholeRun(cloud.services, FLEET_UPDATES, again, 'second-run');
  expect(output).toMatchObject({ patched: 2, failed: 0, classes: 2, onlineUpdates: 1, succeeded: true });
  const { classes } = await reportOf('second-run');
  expect(classes).toMatchObject([
    {
      representative: { kind: 'recorded' },
      recorded: { run: 'first-run' },
      patchedCount: 1,
      onlineUpdates: 0,
    },
    { representative: { kind: 'clone', instanceId: other.instanceId }, patchedCount: 1, onlineUpdates: 1 },
  ]);
  for (const { instanceId } of [twin, other]) {
    expect(await cloud.fleet.read(instanceId, 'cat $MNT/etc/app.conf')).toBe('setting = new\n');
  }
}, 180_000);

const CHECK: UpdatesDocument = {
  ...FLEET_UPDATES,
  updates: [
    { name: 'app', kind: 'compliance', commands: ['rule_check mode "mode is one" grep one /etc/mode.conf'] },
  ],
};
const RESULT = [
  '{"rule":"mode","status":"pass","title":"mode is one","severity":"HIGH","evidence":"one"}',
  'imageelves-results: end 1',
].join('\n');

test('a check is run on one machine of a class, and its result recorded for everyone who would read the same', async () => {
  const running = await cloud.fleet.machine('live', { running: true, script: MODE });
  const twin = await cloud.fleet.machine('twin', { script: MODE });
  const other = await cloud.fleet.machine('other', { script: 'echo two > $MNT/etc/mode.conf' });
  cloud.services.runCommand.answers = [
    { Status: 'Success', StatusDetails: 'Success', ResponseCode: 0, StandardOutputContent: RESULT },
  ];
  const output = await wholeRun(cloud.services, CHECK, { ...FLEET_INPUT, maxRounds: 1 }, 'check-run');
  expect(output).toMatchObject({ checked: 2, patched: 0, onlineUpdates: 1 });
  const recorded = cloud.services.runCommand.complianceOf.map(({ ResourceId }) => ResourceId);
  expect(recorded.sort()).toEqual([running.instanceId, twin.instanceId].sort());
  const { machines } = await reportOf('check-run');
  const toldOf = (id: string) => machines.find(({ instanceId }) => instanceId === id);
  expect(toldOf(twin.instanceId)).toMatchObject({ outcome: 'checked', rules: { passed: 1, failed: 0 } });
  expect(toldOf(other.instanceId)).toMatchObject({
    outcome: 'not-patched',
    sentence: expect.stringContaining('/etc/mode.conf'),
  });
}, 120_000);
