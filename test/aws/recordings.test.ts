import { gzipSync } from 'node:zlib';
import { readRecording, recordedCommands } from '../../aws/steps/recordings';
import { MAX_COMPRESSED_BYTES } from '../../core/recording/parse-recording';
import { MAX_SCRIPT_BYTES } from '../../core/update/recorded-script';
import { recordingKey } from '../../core/workflow/keys';
import { startTestServices, type TestServices } from '../support/aws-services';
import { RECORDER } from '../support/recorder-program';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices();
});
afterEach(() => services.close());

const HEAD = `{"recording":1,"part":1,"method":"fanotify","kernel":"6","boot":"b","started":"2026-01-01T00:00:00Z","limits":{}}\n`;
const END = `{"exit":0,"ended":"2026-01-01T00:00:05Z","events":1,"overflows":0,"unresolved":0,"end":true}\n`;

const summaryOf = async (bytes: Uint8Array) => {
  await services.documents.writeText(recordingKey('r', 'c', 'i-1'), bytes, 'application/gzip');
  return readRecording(services.documents, 'r', 'c', 'i-1');
};

test('a recording is read from where the machine put it', async () => {
  const lines = `${HEAD}["/etc/app",8,0,0]\n${END}`;
  const { lost, warnings, paths } = await summaryOf(gzipSync(lines));
  expect({ lost, warnings, paths: [...paths.keys()] }).toEqual({
    lost: false,
    warnings: [],
    paths: ['/etc/app'],
  });
});

test.each([
  ['that is no gzip', Buffer.from('plain'), 'is no gzip'],
  ['that leads out of the image', gzipSync(`${HEAD}["/etc/../x",8,0,0]\n`), 'a path that leads elsewhere'],
  ['that was cut off', gzipSync(HEAD), 'was cut off'],
  ['that is far too large', Buffer.alloc(MAX_COMPRESSED_BYTES + 1), 'more than the'],
])('a recording %s is lost, and that is told', async (_, bytes, words) => {
  const { lost, warnings } = await summaryOf(bytes);
  expect({ lost, warnings: warnings.join() }).toEqual({
    lost: true,
    warnings: expect.stringContaining(words),
  });
});

test('so is one that never came', async () => {
  expect(await readRecording(services.documents, 'r', 'c', 'i-1')).toMatchObject({
    ...{ method: 'none', lost: true },
    warnings: [expect.stringContaining('No recording came from i-1')],
  });
});

const work = { run: 'r', classId: 'c', instanceId: 'i-1', timeoutSeconds: 60, recorder: RECORDER };

test('a machine is given a URL for its own recording, without the checksum of nothing', async () => {
  const { commands, notRecorded } = await recordedCommands(services, { ...work, commands: ['do it'] });
  const script = commands.join('\n');
  expect(notRecorded).toBeUndefined();
  expect(script).toContain('\ndo it\n');
  expect(script).toContain('/runs/r/classes/c/output/recording-i-1.jsonl.gz?X-Amz-Algorithm=');
  expect(script).toContain('X-Amz-Expires=7260');
  expect(script).not.toContain('checksum');
});

test('a script that leaves no room for the recorder is run without it', async () => {
  const commands = ['#'.repeat(MAX_SCRIPT_BYTES - 1000)];
  expect(await recordedCommands(services, { ...work, commands })).toEqual({
    commands,
    timeoutSeconds: 60,
    notRecorded: expect.stringContaining('The update was not recorded'),
  });
});

test.each([
  [3600, 4800],
  [172_800, 172_800],
])('an update that may take %i s is given %i s with its recording', async (timeoutSeconds, expected) => {
  const sent = await recordedCommands(services, { ...work, timeoutSeconds, commands: ['true'] });
  expect(sent.timeoutSeconds).toBe(expected);
});
