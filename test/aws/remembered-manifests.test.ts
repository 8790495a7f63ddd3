import { rememberedManifests, rememberManifest } from '../../aws/steps/remembered-manifests';
import { writeManifest } from '../../aws/steps/write-manifest';
import * as keys from '../../core/workflow/keys';
import type { RunSettings } from '../../core/workflow/run-input';
import { startTestServices, type TestServices } from '../support/aws-services';
import { MemoryFilesystem } from '../support/memory-filesystem';
import { MemoryImage } from '../support/memory-image';
import { captureUpdate } from '../support/pipeline';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices();
});
afterEach(() => services.close());

const SETTINGS = {
  update: { name: 'u', kind: 'script', commands: ['x'] },
  fresh: false,
} as unknown as RunSettings;

/** A class of a run, captured at that time. */
async function captured(run: string, capturedAt: string, change: object = {}): Promise<void> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put('/etc/app.conf', 'one');
  const { manifest } = await captureUpdate(new MemoryImage(filesystem), new MemoryImage(filesystem.clone()));
  const { documents } = services;
  const where = await writeManifest(documents, keys.manifestKey(run, 'c'), {
    ...manifest,
    run,
    classId: 'c',
    capturedAt,
    reads: [],
    recording: { method: 'fanotify', whole: true, warnings: [] },
    ...change,
  });
  await documents.write(keys.planKey(run), { settings: SETTINGS });
  await documents.write(keys.captureKey(run, 'c'), where);
}

const known = async (change: Partial<RunSettings> = {}): Promise<string[]> =>
  (await rememberedManifests(services.documents, { ...SETTINGS, ...change })).map(({ run }) => run);

test('what was captured is found by the same update, the newest first, also when it is told twice', async () => {
  await captured('first', '2026-11-18T06:00:00.000Z');
  await captured('second', '2026-11-19T06:00:00.000Z');
  for (const run of ['second', 'first', 'first']) {
    expect(await rememberManifest(services, { run, classId: 'c' })).toEqual({ remembered: true });
  }
  expect(await known()).toEqual(['second', 'first']);
});

test('another update does not find it, and nothing is found when a new capture is asked for', async () => {
  await captured('first', '2026-11-18T06:00:00.000Z');
  await rememberManifest(services, { run: 'first', classId: 'c' });
  expect(await known({ update: { name: 'u', kind: 'script', commands: ['y'] } })).toEqual([]);
  expect(await known({ fresh: true })).toEqual([]);
});

test.each([
  ['without the reads it is not known whom it fits', { reads: undefined }],
  [
    'of a recording that is not whole',
    { recording: { method: 'fanotify', whole: false, warnings: ['it overflowed'] } },
  ],
])('a manifest %s is not remembered', async (_what, change) => {
  await captured('first', '2026-11-18T06:00:00.000Z', change);
  expect(await rememberManifest(services, { run: 'first', classId: 'c' })).toEqual({ remembered: false });
  expect(await known()).toEqual([]);
});
