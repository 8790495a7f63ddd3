import type { Report } from '../../core/report/report';
import { reportKey } from '../../core/workflow/keys';
import { diskCloud } from '../support/disk-cloud';
import { FLEET_INPUT, FLEET_UPDATES } from '../support/disk-fleet';
import { wholeRun } from '../support/whole-run';

const cloud = diskCloud();

const SETTINGS = "printf 'setting = mine\\n' > $MNT/etc/app.conf";

/** Two machines that match no manifest of the first round and differ alike: one class of the second round. */
async function run(hook?: string, hasTwin = true) {
  await cloud.fleet.machine('live', { running: true });
  // The witness of the first round is the first by its id.
  if (hasTwin) await cloud.fleet.machine('twin', { instanceId: 'i-00000000000000001' });
  const script = hook === undefined ? SETTINGS : `${SETTINGS}; echo '${hook}' > $MNT/etc/app.hook`;
  const [one, two] = [
    await cloud.fleet.machine('one', { script }),
    await cloud.fleet.machine('two', { script }),
  ];
  const output = await wholeRun(cloud.services, FLEET_UPDATES, { ...FLEET_INPUT, dataPoints: 2 });
  const { classes } = await cloud.services.documents.read<Report>(reportKey('test-run'));
  const second = classes.find(({ round }) => round === 2)!;
  const told = second.dataPoints!.map(({ role, used }) => `${role}: ${used ? 'used' : 'not used'}`);
  return { output, second, told, one, two };
}

const content = (machine: { readonly instanceId: string }, file: string): Promise<string> =>
  cloud.fleet.read(machine.instanceId, `cat $MNT${file} 2>/dev/null || true`);

test('what the class before did as well needs no witness', async () => {
  const { output, told, one, two } = await run();
  // On the running machine, on its witness, and on the clone of one of the two.
  expect(output).toMatchObject({ succeeded: true, patched: 3, onlineUpdates: 3, notPatched: 0 });
  expect(told).toEqual(['representative: used', 'earlier: used']);
  for (const machine of [one, two]) {
    expect(await content(machine, '/etc/app.conf')).toBe('setting = new\n');
    expect(await content(machine, '/usr/lib/libx.so')).toBe('new library\n');
  }
}, 120_000);

test('what it did not do is asked of a witness, and is the same there', async () => {
  const { output, told, one, two } = await run('echo by the hook > $MNT/etc/app.extra');
  expect(output).toMatchObject({ succeeded: true, patched: 3, onlineUpdates: 4 });
  expect(told).toEqual(['representative: used', 'witness: used']);
  for (const machine of [one, two]) expect(await content(machine, '/etc/app.extra')).toBe('by the hook\n');
}, 120_000);

test('chance is found out by the witness, and is copied to nobody', async () => {
  const { output, second, two } = await run('head -c 9 /dev/urandom | base64 > $MNT/etc/app.key');
  expect(output).toMatchObject({ patched: 1, onlineUpdates: 4, notPatched: 2 });
  expect(second.onlyOnline).toEqual([expect.stringContaining('/etc/app.key cannot be made offline')]);
  expect(await content(two, '/etc/app.key')).toBe('');
  expect(await content(two, '/etc/app.conf')).toBe('setting = mine\n');
}, 120_000);

test('chance on a witness of another class is copied to nobody either', async () => {
  const { output, one, two } = await run('head -c 9 /dev/urandom | base64 > $MNT/etc/app.key', false);
  expect(output).toMatchObject({ patched: 0, notPatched: 2 });
  for (const machine of [one, two]) expect(await content(machine, '/etc/app.key')).toBe('');
}, 120_000);
