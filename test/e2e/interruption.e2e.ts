import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A command that is interrupted leaves no mount, no loop device and no process, whatever it was doing. */
const PROJECT = path.resolve(__dirname, '..', '..');
const MINUTES = 60_000;

/** Starts a run on the small fleet, waits for a line of its output and a while, sends the signal, and waits for its end. */
async function interrupted(
  folder: string,
  line: string,
  thenMs: number,
  signal: NodeJS.Signals,
): Promise<void> {
  const oracle = ['oracle', 'python-tree', '--state', folder];
  const command = ['--import', 'tsx', 'cli/imageelves.ts', ...oracle];
  const child = spawn(process.execPath, command, { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let output = '';
  const seen = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes(line)) resolve();
    });
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    void ended.then(() => reject(new Error(`it ended before "${line}":\n${output}`)));
  });
  await seen;
  await sleep(thenMs);
  child.kill(signal);
  await ended;
}

/** Everything on this machine that still has to do with the folder. */
async function remains(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (text.includes(folder)) found.push(`process ${pid}: ${text.replaceAll('\0', ' ')}`);
  }
  for (const mount of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) {
    if (mount.includes(folder)) found.push(`mount ${mount}`);
  }
  const loops = execFileSync('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']).toString();
  found.push(
    ...loops
      .split('\n')
      .filter((file) => file.includes(folder))
      .map((file) => `loop device of ${file}`),
  );
  return found;
}

test.each<[string, string, number, NodeJS.Signals]>([
  ['while it builds the fleet, by Ctrl-C', 'birch-02 is', 200, 'SIGINT'],
  ['while machines run and are patched, by a kill that cannot be caught', 'Update classes', 4000, 'SIGKILL'],
])(
  'interrupted %s',
  async (_name, line, thenMs, signal) => {
    const folder = await mkdtemp(path.join(PROJECT, '.imageelves-e2e-'));
    try {
      await interrupted(folder, line, thenMs, signal);
      // The kernel tears namespaces down after their last process is gone.
      for (let tries = 0; tries < 100 && (await remains(folder)).length > 0; tries += 1) await sleep(100);
      expect(await remains(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  6 * MINUTES,
);
