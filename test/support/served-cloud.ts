import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

const REPOSITORY = path.join(__dirname, '../..');
const PROGRAM = path.join(__dirname, 'serve-local-cloud.ts');

export interface CloudToServe {
  readonly stateFolder: string;
  /** What new machines are made from. */
  readonly rawFile: string;
  readonly machines: number;
  /** Folder of http://repository.local. */
  readonly site: string;
}

/** An embedded cloud with real machines, in a program of its own. */
export class ServedCloud {
  private constructor(
    readonly program: ChildProcess,
    readonly url: string,
    readonly instanceIds: readonly string[],
  ) {}

  static async start({ stateFolder, rawFile, machines, site }: CloudToServe): Promise<ServedCloud> {
    // tsx as a loader, not as a program: what is killed must be the program itself.
    const args = ['--import', 'tsx', PROGRAM, stateFolder, rawFile, String(machines), site];
    const program = spawn(process.execPath, args, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: program.stdout });
    const first = await lines[Symbol.asyncIterator]().next();
    const { url, instanceIds } = JSON.parse(String(first.value)) as { url: string; instanceIds: string[] };
    return new ServedCloud(program, url, instanceIds);
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const { program } = this;
    if (program.exitCode !== null || program.signalCode !== null) return program.exitCode;
    const exit = new Promise<number | null>((resolve) => program.once('exit', resolve));
    program.kill(signal);
    return exit;
  }
}
