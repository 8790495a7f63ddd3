import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseRecording } from '../../core/recording/parse-recording';
import { type RecordingSummary, summarizeRecording } from '../../core/recording/summarize-recording';
import { RECORDER } from '../support/recorder-program';

/** Whatever becomes of the recorder, the update runs to its own end, as it would have without it. */
const run = promisify(execFile);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recording-'));
  await mkdir(join(folder, 'parts'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** In a mount namespace of its own, with a small disk for the recording. */
async function record(update: string, recorder = RECORDER, directory = '"$FOLDER/parts"'): Promise<Ended> {
  await writeFile(join(folder, 'recorder.py'), recorder);
  await writeFile(join(folder, 'update.sh'), update);
  const script = `
    mount -t tmpfs -o size=1M tmpfs "$FOLDER/parts"
    code=0; python3 -IB "$FOLDER/recorder.py" --directory ${directory} -- sh "$FOLDER/update.sh" || code=$?
    cp "$FOLDER"/parts/part-* "$FOLDER" || true
    echo "code $code"`;
  const namespaces = ['--mount', '--propagation', 'private', '--'];
  const { stdout } = await run('unshare', [...namespaces, 'sh', '-euc', script], {
    env: { PATH: process.env['PATH'], FOLDER: folder },
    timeout: 20_000,
  });
  const [, output, code] = /^([^]*)code (\d+)\n$/.exec(stdout) ?? [];
  return { code: Number(code), output: output! };
}

async function recorded(): Promise<RecordingSummary> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('part-')).sort();
  const parts = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return summarizeRecording(parseRecording(Buffer.concat(parts)));
}

test('the update has the environment that it would have without a recorder', async () => {
  const { output } = await record('env');
  expect(output).toContain('FOLDER=');
  expect(output).not.toContain('LC_CTYPE');
});

test('a recorder that cannot begin lets the update run', async () => {
  const ended = await record('echo ran; exit 5', RECORDER, '"$FOLDER/parts/is/not/there"');
  expect(ended).toEqual({ code: 5, output: 'ran\n' });
});

test('a disk that is full for a while costs neither the signal nor the recording, and gets no fuller', async () => {
  const { code, output } = await record(`
    cd "$FOLDER/parts"
    trap 'ls; rm fill; exit 7' TERM
    head -c 2M /dev/zero > fill 2>/dev/null
    kill -TERM $PPID
    for second in 1 2 3; do sleep 1; done`);
  expect({ code, output }).toEqual({ code: 7, output: 'fill\npart-0001.jsonl.gz\n' });
  const { lost, warnings } = await recorded();
  expect({ lost, warnings: warnings.filter((words) => words.startsWith('Part')) }).toEqual({
    lost: false,
    warnings: [],
  });
});

test('a recorder that broke takes no more events, which nobody would read', async () => {
  const broken = RECORDER.replace(
    '    def drain_others(self):',
    '    def drain_others(self):\n        raise ValueError("broken")',
  );
  expect(broken).not.toBe(RECORDER);
  const { code, output } = await record(
    'sleep 0.5; readlink /proc/$PPID/fd/* | grep -c fanotify; exit 3',
    broken,
  );
  expect({ code, output }).toEqual({ code: 3, output: '0\n' });
  expect((await recorded()).warnings.join()).toContain('broke off: ValueError: broken');
});

test('a filesystem that is mounted where another one was is recorded too', async () => {
  await record(`
    cd "$FOLDER"
    truncate -s 16M disk; mkfs.ext4 -q disk; mkdir mounted
    for name in first second; do
      mount -o loop disk mounted; sleep 0.3
      : > "mounted/$name"; sleep 0.3
      umount mounted; sleep 0.3
    done`);
  const { paths } = await recorded();
  const written = ['first', 'second'].map((name) => paths.get(`${folder}/mounted/${name}`)?.byUpdate);
  expect(written).toEqual(['yes', 'yes']);
});
