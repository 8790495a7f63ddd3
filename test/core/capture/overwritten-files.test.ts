import { ACTION_BITS } from '../../../core/recording/recording';
import type { RecordingSummary } from '../../../core/recording/summarize-recording';
import { codecFor } from '../../../core/records/registry';
import { matchImage } from '../../../core/match/match-image';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate } from '../../support/pipeline';
import { recordingOf } from '../../support/recording-summary';

const { movedHere, read, removed, written } = ACTION_BITS;

const metadata = { mode: 0o777, uid: 0, gid: 0, mtimeNs: 1n, xattrs: new Map<string, Uint8Array>() };
const STATUS = '/var/lib/dpkg/status';
const LIST = '/var/lib/dpkg/info/tool.list';

function status(version: string): string {
  const conffiles = 'Conffiles:\n /etc/tool.conf 0123456789abcdef0123456789abcdef\n';
  return `Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n${conffiles}Description: tool\n\n`;
}

const FILES = ['/etc/tool.conf', '/usr/bin/tool', '/usr/share/tool/data', '/usr/share/tool/old'];

async function machine(): Promise<MemoryFilesystem> {
  const files = new MemoryFilesystem();
  for (const path of FILES) await files.put(path, `${path} 1`);
  await files.put(STATUS, status('1'));
  await files.put(LIST, `${FILES.join('\n')}\n`);
  await files.put('/var/cache/made', 'made by the update 1');
  return files;
}

/** Version 2 of the package, without its file `old`; its postinst reads the program. */
async function upgrade(recording: RecordingSummary = recordingOf(EVENTS)) {
  const before = await machine();
  const after = before.clone();
  for (const path of [...FILES.slice(0, 3), '/var/cache/made']) await after.put(path, `${path} 2`);
  await after.remove('/usr/share/tool/old');
  await after.put(STATUS, status('2'));
  await after.put(LIST, `${FILES.slice(0, 3).join('\n')}\n`);
  const request = { recording, codecFor };
  return (await captureUpdate(new MemoryImage(before), new MemoryImage(after), request)).manifest;
}

const EVENTS = {
  '/etc/tool.conf': [read | movedHere],
  '/usr/bin/tool': [read | movedHere],
  '/usr/share/tool/data': [movedHere],
  '/usr/share/tool/old': [removed],
  '/var/cache/made': [written],
  [STATUS]: [movedHere],
  [LIST]: [movedHere],
} as const;

/** The path at which a machine that was changed by hand differs. */
async function differs(
  change: (files: MemoryFilesystem) => Promise<unknown> | unknown,
  recording?: RecordingSummary,
): Promise<string[]> {
  const files = await machine();
  await change(files);
  const { differences } = await matchImage(await upgrade(recording), new MemoryImage(files), { codecFor });
  return differences.map(({ path }) => path);
}

describe('files that dpkg replaces without a look at them', () => {
  it('are marked, and those that were read or belong to no package are not', async () => {
    const { operations } = await upgrade();
    expect(operations.filter((one) => 'overwrites' in one).map(({ path }) => path)).toEqual([
      '/usr/share/tool/old',
      '/usr/share/tool/data',
    ]);
  });

  it.each<[string, (files: MemoryFilesystem) => Promise<unknown> | unknown]>([
    ['edited, of another size', (files) => files.put('/usr/share/tool/data', 'edited')],
    ['of another mode', (files) => files.put('/usr/share/tool/data', FILES[2]!, { mode: 0o600 })],
    ['missing', (files) => files.remove('/usr/share/tool/data')],
    ['edited, and to be removed', (files) => files.put('/usr/share/tool/old', 'edited')],
  ])('match when %s', async (_, change) => {
    expect(await differs(change)).toEqual([]);
  });

  it.each<[string, string, (files: MemoryFilesystem) => Promise<unknown> | unknown]>([
    ['settings', '/etc/tool.conf', (files) => files.put('/etc/tool.conf', 'own')],
    ['what a script of the update read', '/usr/bin/tool', (files) => files.put('/usr/bin/tool', 'own')],
    ['what belongs to no package', '/var/cache/made', (files) => files.put('/var/cache/made', 'own')],
    [
      'a link in its place',
      '/usr/share/tool/data',
      async (files) => {
        await files.remove('/usr/share/tool/data');
        await files.symlink('/usr/share/tool/data', '/srv/data', metadata);
      },
    ],
    [
      'a file with a second name',
      '/usr/share/tool/data',
      async (files) => {
        await files.put('/usr/share/tool/data', 'own');
        await files.link('/usr/share/tool/data', '/usr/share/other');
      },
    ],
    [
      'a directory in its place',
      '/usr/share/tool/old',
      async (files) => {
        await files.remove('/usr/share/tool/old');
        await files.put('/usr/share/tool/old/own', 'own');
      },
    ],
  ])('still tell machines apart by %s', async (_, path, change) => {
    expect(await differs(change)).toContain(path);
  });

  it('count by content when nobody knows who read what', async () => {
    const lost = { ...recordingOf(EVENTS), lost: true };
    expect(await differs((files) => files.put('/usr/share/tool/data', 'edited'), lost)).toEqual([
      '/usr/share/tool/data',
    ]);
  });
});
