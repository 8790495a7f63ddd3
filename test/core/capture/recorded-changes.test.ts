import { ACTION_BITS } from '../../../core/recording/recording';
import { lostRecording, type RecordingSummary } from '../../../core/recording/summarize-recording';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate } from '../../support/pipeline';
import { recordingOf } from '../../support/recording-summary';

const { opened, read, written, created, removed, movedAway, movedHere, isDirectory } = ACTION_BITS;
const metadata = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1n, xattrs: new Map<string, Uint8Array>() };

/** What a change of a small machine is captured as, with this recording of it. */
async function captured(
  recording: RecordingSummary,
  change: (filesystem: MemoryFilesystem) => Promise<unknown>,
) {
  const before = new MemoryFilesystem();
  await before.put('/etc/app.conf', 'old');
  await before.put('/etc/old/file', 'old');
  await before.put('/srv/a', 'linked');
  await before.link('/srv/a', '/srv/b');
  const after = before.clone();
  await change(after);
  const { manifest } = await captureUpdate(new MemoryImage(before), new MemoryImage(after), { recording });
  return {
    operations: manifest.operations.map(({ kind, path }) => `${kind} ${path}`),
    leftOut: manifest.leftOut.paths.map(({ path, reason }) => `${path}: ${reason}`),
    warnings: manifest.warnings,
    decisions: manifest.decisions?.paths.map(({ path, decision }) => `${decision} ${path}`) ?? [],
    recording: manifest.recording,
  };
}

const rewrite = (filesystem: MemoryFilesystem) =>
  filesystem.writeFile('/etc/app.conf', new TextEncoder().encode('new'), metadata);
const OTHERS = 'changed by another process than the update’s while it ran';

test('what others changed is left out, with the reason', async () => {
  const recording = recordingOf({ '/etc/app.conf': [0, 0, written] });
  expect(await captured(recording, rewrite)).toEqual({
    operations: [],
    leftOut: [`/etc/app.conf: ${OTHERS}`],
    warnings: [],
    decisions: [],
    recording: { method: 'fanotify', whole: true, warnings: [] },
  });
});

test('so is what others changed, where one of them could not be told', async () => {
  const recording = recordingOf({ '/etc/app.conf': [0, written, written] });
  expect((await captured(recording, rewrite)).leftOut).toEqual([`/etc/app.conf: ${OTHERS}`]);
});

test('so is what the update only read', async () => {
  const recording = recordingOf({ '/etc/app.conf': [opened | read, 0, written] });
  expect((await captured(recording, rewrite)).leftOut).toEqual([`/etc/app.conf: ${OTHERS}`]);
});

test.each([
  ['the update changed it', [written], [], []],
  ['the update and others changed it', [written, 0, written], [], []],
  ['it could not be told who changed it', [0, written], ['kept /etc/app.conf'], []],
  [
    'no event tells of it',
    [0],
    ['kept /etc/app.conf'],
    [expect.stringContaining('/etc/app.conf changed without an event')],
  ],
  // Opened for writing and mapped: there is no other event before it is closed.
  [
    'the update still has it open',
    [opened, 0, written],
    ['kept /etc/app.conf'],
    [expect.stringContaining('were changed by others')],
  ],
] as const)('a change is kept when %s', async (_, bits, decisions, warnings) => {
  const result = await captured(recordingOf({ '/etc/app.conf': bits as readonly [number] }), rewrite);
  expect(result).toMatchObject({ operations: ['put-file /etc/app.conf'], leftOut: [], decisions, warnings });
});

test.each([
  ['lost', recordingOf({ '/etc/app.conf': [0, 0, written] }, { end: undefined })],
  ['absent', lostRecording('It was not there.')],
])('when the recording is %s the snapshots decide alone, and that is told', async (_, recording) => {
  const { operations, warnings, recording: facts } = await captured(recording, rewrite);
  expect(operations).toEqual(['put-file /etc/app.conf']);
  expect(facts).toEqual({ method: recording.method, whole: false, warnings: recording.warnings });
  expect(warnings).toEqual([expect.stringContaining('The difference of the snapshots decided alone. ')]);
});

test('what lies below a directory that the update renamed or removed is its own', async () => {
  const recording = recordingOf({
    '/opt/new.part': [created | movedAway | isDirectory],
    '/opt/new': [movedHere | isDirectory],
    '/opt': [created | isDirectory],
    '/etc/old': [removed | isDirectory],
  });
  const result = await captured(recording, async (filesystem) => {
    await filesystem.put('/opt/new/deep/file', 'x');
    await filesystem.remove('/etc/old/file');
    await filesystem.remove('/etc/old');
  });
  expect(result).toMatchObject({ leftOut: [], warnings: [], decisions: [] });
  expect(result.operations).toContain('remove /etc/old/file');
  expect(result.operations).toContain('put-file /opt/new/deep/file');
});

test('a file written under one of its names changes under all of them', async () => {
  const events = { '/srv/a': [0, 0, written] } as const;
  const change = async (filesystem: MemoryFilesystem) => {
    await filesystem.writeFile('/srv/a', new TextEncoder().encode('new'), metadata);
    await filesystem.link('/srv/a', '/srv/b');
  };
  expect((await captured(recordingOf(events), change)).leftOut).toEqual([
    `/srv/a: ${OTHERS}`,
    `/srv/b: ${OTHERS}`,
  ]);
});

test('a directory that others made stays when the update put something into it', async () => {
  const events = {
    '/srv/shared': [0, 0, created | isDirectory],
    '/srv/shared/theirs': [0, 0, written],
    '/srv/shared/ours': [written],
  } as const;
  const result = await captured(recordingOf(events), async (filesystem) => {
    await filesystem.put('/srv/shared/theirs', 'x');
    await filesystem.put('/srv/shared/ours', 'y');
  });
  expect(result.operations).toEqual(['make-directory /srv/shared', 'put-file /srv/shared/ours']);
  expect(result.leftOut).toEqual([`/srv/shared/theirs: ${OTHERS}`]);
});

test('a file that others removed goes with the directory that the update removed', async () => {
  const events = {
    '/etc/old/file': [0, 0, removed],
    '/etc/old': [removed | isDirectory],
  } as const;
  const result = await captured(recordingOf(events), async (filesystem) => {
    await filesystem.remove('/etc/old/file');
    await filesystem.remove('/etc/old');
  });
  expect(result.operations).toEqual(['remove /etc/old/file', 'remove /etc/old']);
});

test.each([
  ['before the update began', { started: '2039-01-01T00:00:00Z' }],
  ['after the update had ended', { started: '1960-01-01T00:00:00Z', ended: '1960-01-02T00:00:00Z' }],
])('without an event, and changed %s by its own time: left out', async (when, { started, ...rest }) => {
  const ended = 'ended' in rest ? rest.ended : '2040-01-01T00:00:00Z';
  const end = { exitCode: 0, ended, events: 1, overflows: 0, unresolved: 0 };
  const recording = recordingOf({}, { started, end });
  expect((await captured(recording, rewrite)).leftOut).toEqual([`/etc/app.conf: changed ${when}`]);
  const limited = recordingOf({}, { started, end, limits: { '/': 'renames are not recorded' } });
  expect((await captured(limited, rewrite)).operations).toEqual(['put-file /etc/app.conf']);
});
