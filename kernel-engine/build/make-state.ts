import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findMachineFiles } from '../machine-files';
import { Machine } from '../machine';
import { DEFAULT_MEMORY_MB, savedStatePath } from '../saved-state';
import { BuildError } from './build-error';
import { oneAtATime } from './one-at-a-time';

const TIMEOUT_MS = 300_000;
const POLL_MS = 50;
const NO_LIMIT = 1e12;

export interface MakeStateOptions {
  /** Holds `guest/`, and `qemu/` where QEMU is brought along; `state/` is made in it. */
  readonly directory: string;
  readonly tell: (line: string) => void;
}

/**
 * Starts a machine and saves its state, so that others begin where it left off. Unlike the guest, it is not the same bytes
 * each time. @throws BuildError, KernelEngineError
 */
export function makeState(options: MakeStateOptions): Promise<void> {
  return oneAtATime(`state in ${resolve(options.directory)}`, () => make(options));
}

async function make({ directory, tell }: MakeStateOptions): Promise<void> {
  const files = await findMachineFiles(directory);
  const path = await savedStatePath(directory, files, DEFAULT_MEMORY_MB);
  if (await stat(path).catch(() => undefined)) return;
  tell('starting a machine once, to save its state');
  const folder = await mkdtemp(join(tmpdir(), 'machine-state-'));
  const control = await Control.listen(join(folder, 'control'));
  try {
    await mkdir(dirname(path), { recursive: true });
    const saved = `${path}.${process.pid}`;
    await using machine = await Machine.start(files, [], {
      memoryMb: DEFAULT_MEMORY_MB,
      timeoutMs: TIMEOUT_MS,
      controlPath: join(folder, 'control'),
    });
    await machine.ask({ do: 'prepare' });
    await control.save(saved);
    await rename(saved, path);
    for (const other of await readdir(dirname(path))) {
      if (other !== basename(path)) await rm(join(dirname(path), other), { force: true });
    }
  } finally {
    await control.close();
    await rm(folder, { recursive: true });
  }
}

/** QEMU's own port, for commands in JSON (QEMU Machine Protocol). */
class Control {
  private socket: Socket | undefined;
  private readonly answers: ((answer: Record<string, unknown>) => void)[] = [];

  private constructor(private readonly server: ReturnType<typeof createServer>) {
    server.on('connection', (socket) => {
      this.socket = socket;
      // What becomes of a socket that QEMU resets as it ends is said by 'close'; readline throws what it passes on.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        for (const answer of this.answers.splice(0)) answer({ error: { desc: 'QEMU ended' } });
      });
      const lines = createInterface(socket).on('error', () => undefined);
      lines.on('line', (line) => {
        const message = JSON.parse(line) as Record<string, unknown>;
        // The greeting and events answer nothing.
        if ('return' in message || 'error' in message) this.answers.shift()?.(message);
      });
    });
  }

  static async listen(path: string): Promise<Control> {
    const server = createServer();
    await new Promise<void>((done, failed) => server.once('error', failed).listen(path, done));
    return new Control(server);
  }

  /** The machine runs on while it is saved: a state that was saved at rest would begin at rest. */
  async save(path: string): Promise<void> {
    await this.command('qmp_capabilities');
    await this.command('migrate-set-parameters', { 'max-bandwidth': NO_LIMIT });
    await this.command('migrate', { uri: `exec:exec cat > '${path.replaceAll("'", "'\\''")}'` });
    for (;;) {
      const { status, 'error-desc': why } = await this.command('query-migrate');
      if (status === 'completed') return;
      if (status === 'failed' || status === 'cancelled') {
        throw new BuildError(`the state of the machine was not saved: ${String(why ?? status)}`);
      }
      await sleep(POLL_MS);
    }
  }

  async close(): Promise<void> {
    this.socket?.destroy();
    await new Promise((done) => this.server.close(done));
  }

  private async command(execute: string, args: object = {}): Promise<Record<string, unknown>> {
    const { socket } = this;
    if (socket === undefined) throw new BuildError('QEMU did not open its control port');
    const answer = await new Promise<Record<string, unknown>>((done) => {
      this.answers.push(done);
      if (socket.destroyed) done({ error: { desc: 'QEMU ended' } });
      socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
    if (answer.error !== undefined) {
      throw new BuildError(`QEMU refused ${execute}: ${JSON.stringify(answer.error)}`);
    }
    return answer.return as Record<string, unknown>;
  }
}
