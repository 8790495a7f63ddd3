import { followRecordedLinks } from '../../../core/recording/followed-links';
import { ACTION_BITS, type RecordingMethod } from '../../../core/recording/recording';
import type { RecordingSummary } from '../../../core/recording/summarize-recording';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { type Events, recordingOf } from '../../support/recording-summary';

const { opened, read, written, created, executed, removed, isDirectory } = ACTION_BITS;
const FILE = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() };

async function image(): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put('/usr/bin/dash', 'a shell');
  await filesystem.put('/usr/lib/libc.so.6', 'a library');
  await filesystem.put('/etc/real', 'settings');
  await filesystem.symlink('/bin', 'usr/bin', FILE);
  await filesystem.symlink('/lib', 'usr/lib', FILE);
  await filesystem.symlink('/usr/bin/sh', 'dash', FILE);
  await filesystem.symlink('/etc/given', '/etc/real', FILE);
  await filesystem.symlink('/etc/loop', 'loop', FILE);
  return filesystem;
}

async function followed(
  events: Events,
  { method = 'audit', after }: { method?: RecordingMethod; after?: MemoryFilesystem } = {},
): Promise<RecordingSummary> {
  const before = await image();
  return followRecordedLinks(
    recordingOf(events, { method }),
    new MemoryImage(before),
    new MemoryImage(after ?? before.clone()),
  );
}

test('a program that is called by a link was read, and so was the link', async () => {
  const { paths } = await followed({ '/bin/sh': [opened | executed | read] });
  expect([...paths.keys()]).toEqual(['/usr/bin/sh', '/usr/bin/dash']);
  expect(paths.get('/usr/bin/dash')).toMatchObject({ executed: true, read: true, byUpdate: 'yes' });
});

test('what is known under two names of one file comes together', async () => {
  const { paths } = await followed({
    '/lib/libc.so.6': [0, 0, written],
    '/usr/lib/libc.so.6': [opened | read],
  });
  expect([...paths.keys()]).toEqual(['/usr/lib/libc.so.6']);
  expect(paths.get('/usr/lib/libc.so.6')).toMatchObject({ read: true, byUpdate: 'yes', byOthers: true });
});

test('a file that was removed is told in the directory in which it was', async () => {
  const { paths } = await followed({ '/lib/gone': [removed], '/nowhere/gone': [removed] });
  expect([...paths.keys()]).toEqual(['/usr/lib/gone', '/nowhere/gone']);
});

test('what is written through a link is written to its target', async () => {
  const { paths } = await followed({ '/etc/given': [opened | read | written] });
  expect(paths.get('/etc/real')).toMatchObject({ written: true, changedByUpdate: 'yes' });
});

test('a link that the update made and read through does not make its target the update’s', async () => {
  const after = await image();
  await after.symlink('/etc/new', '/etc/real', FILE);
  const { paths } = await followed({ '/etc/new': [created | opened | read] }, { after });
  expect(paths.get('/etc/new')).toMatchObject({ written: true, changedByUpdate: 'yes' });
  expect(paths.get('/etc/real')).toMatchObject({ read: true, written: false, changedByUpdate: 'no' });
});

test('a link that leads to itself is only a link', async () => {
  const { paths } = await followed({ '/etc/loop': [opened | read] });
  expect([...paths.keys()]).toEqual(['/etc/loop']);
});

test('a directory stays one', async () => {
  const { paths } = await followed({ '/lib': [opened | read | isDirectory] });
  expect(paths.get('/usr/lib')).toMatchObject({ read: true, isDirectory: true });
});

test('fanotify tells where links end', async () => {
  const { paths } = await followed({ '/bin/sh': [opened | read] }, { method: 'fanotify' });
  expect([...paths.keys()]).toEqual(['/bin/sh']);
});
