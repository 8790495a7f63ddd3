import { ACTION_BITS } from '../../../core/recording/recording';
import { listImage } from '../../support/image-listing';
import { type Events, recordingOf } from '../../support/recording-summary';
import {
  captureOf,
  machineOf,
  type MemoryUpdate,
  offline,
  online,
  type OwnValues,
} from '../../support/value-machines';

const { read, written } = ACTION_BITS;

const machines: Record<'first' | 'its witness' | 'second' | 'third', OwnValues> = {
  first: { host: 'server', machineId: '0'.repeat(32), uuid: '6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76' },
  'its witness': { host: 'web', machineId: '1'.repeat(32), uuid: '11111111-2222-4333-8444-555555555555' },
  second: { host: 'linux', machineId: '2'.repeat(32), uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' },
  third: { host: 'db', machineId: '3'.repeat(32), uuid: 'bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee' },
};
const FIRST = { '/etc/mode': 'fast\n', '/etc/app.conf': 'old\n', '/usr/share/large': 'large\n' };
const SECOND = { ...FIRST, '/etc/mode': '# by hand\nslow\n' };

const isSlow = async (filesystem: Parameters<MemoryUpdate>[0]): Promise<boolean> =>
  Buffer.from(await filesystem.readFile('/etc/mode')).includes('slow');

/** Captures an update on a second class, with the two machines of the first class known. */
async function captured(
  update: MemoryUpdate,
  events: Events = {},
  files: Readonly<Record<string, string>> = SECOND,
) {
  const runOn = async (name: keyof typeof machines, own: Readonly<Record<string, string>>) =>
    online(await machineOf(machines[name], own), machines[name], update);
  const first = await runOn('first', FIRST);
  const { manifest } = await captureOf(first, await runOn('its witness', FIRST));
  const earlier = [{ instanceId: 'i-first', ...first, manifest }];
  const recording = recordingOf(events, { limits: { '/': 'changes without an event are kept' } });
  const made = await captureOf(await runOn('second', files), undefined, { earlier, recording });
  const third = await offline(await machineOf(machines.third, files), made);
  const expected = (await runOn('third', files)).after;
  return { ...made, third: await listImage(third), expected: await listImage(expected) };
}

/** What no machine explains. */
async function unexplained(update: MemoryUpdate, events?: Events, files?: Record<string, string>) {
  const { earlier } = await captured(update, events, files);
  return earlier?.unexplained.map((line) => line.split(':')[0]);
}

describe('what an update did on a machine of another class', () => {
  it('is a second data point: the host name is told from a word by it', async () => {
    const { earlier, third, expected, manifest } = await captured(async (filesystem, { host }) =>
      filesystem.put('/etc/app.conf', `name = ${host}\nsystem = linux server\n`),
    );
    expect(earlier).toEqual({ instanceId: 'i-first', unexplained: [] });
    expect(third).toEqual(expected);
    expect(manifest.operations).toMatchObject([{ substitutions: [{ offsetBytes: 7 }] }]);
  });

  it('does not explain what was done here only', async () => {
    const update: MemoryUpdate = async (filesystem) =>
      filesystem.put('/etc/app.conf', (await isSlow(filesystem)) ? 'slow\n' : 'fast\n');
    expect(await unexplained(update)).toEqual(['/etc/app.conf']);
    const made: MemoryUpdate = async (filesystem) => {
      if (await isSlow(filesystem)) await filesystem.put('/etc/app.key', 'made here\n');
    };
    expect(await unexplained(made)).toEqual(['/etc/app.key']);
  });

  it('is not needed where something is removed, or only its mode is changed', async () => {
    const update: MemoryUpdate = async (filesystem) => {
      if (!(await isSlow(filesystem))) return;
      await filesystem.remove('/usr/share/large');
      await filesystem.put('/etc/app.conf', 'old\n', { mode: 0o600 });
    };
    expect(await unexplained(update)).toEqual([]);
  });

  it('explains settings that were put beside those of this machine', async () => {
    const update: MemoryUpdate = async (filesystem) =>
      filesystem.put((await isSlow(filesystem)) ? '/etc/app.conf.dpkg-dist' : '/etc/app.conf', 'new\n');
    expect(await unexplained(update)).toEqual([]);
  });

  it('leaves a copy of what was read to explain itself, unless its name may be chance', async () => {
    const copyTo =
      (path: string): MemoryUpdate =>
      async (filesystem) => {
        if (await isSlow(filesystem)) await filesystem.put(path, 'large\n');
      };
    const events: Events = { '/usr/share/large': [read], '/etc/app.conf': [written] };
    expect(await unexplained(copyTo('/etc/app.conf'), events)).toEqual([]);
    expect(await unexplained(copyTo('/etc/app.conf'))).toEqual(['/etc/app.conf']);
    expect(await unexplained(copyTo('/etc/app.4711'), events)).toEqual(['/etc/app.4711']);
  });

  it('leaves out what was chance there', async () => {
    let runs = 0;
    const { earlier, manifest } = await captured(async (filesystem) => {
      await filesystem.put('/etc/app.conf', 'new\n');
      await filesystem.put('/var/lib/app/state', `started ${(runs += 1) * 7919}\n`);
    });
    expect(earlier?.unexplained).toEqual([]);
    expect(manifest.operations.map(({ path }) => path)).toEqual(['/etc/app.conf']);
    const leftOut = manifest.decisions?.paths.filter(({ decision }) => decision === 'left-out');
    expect(leftOut).toMatchObject([{ path: '/var/lib/app/state' }]);
  });
});
