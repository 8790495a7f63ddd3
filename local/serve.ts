import type { LocalCloudOptions } from './cloud-options';
import { reexecInPrivateNamespace, startLocalCloud } from './start';

/**
 * The embedded cloud as a program: `tsx local/serve.ts '<options as JSON>'`. Says one line of JSON on standard output when it
 * serves: `{url, pid, deployment}`. Ends cleanly on SIGTERM and SIGINT, and, with `stopWithParent`, when its standard input
 * ends, as it does when whoever started it dies.
 */
interface ServeOptions extends Omit<LocalCloudOptions, 'machines'> {
  readonly machines?: 'imaginary';
  /** Output of `cdk synth` to deploy before the ready line. */
  readonly deploy?: string;
  readonly stopWithParent?: boolean;
}

/** The process that the starter knows: inside of a process namespace numbers are others. */
const KNOWN_PID = 'IMAGEELVES_SERVE_PID';

async function serve(options: ServeOptions): Promise<void> {
  process.env[KNOWN_PID] ??= String(process.pid);
  const real = options.storage !== 'memory' || options.machines !== 'imaginary';
  const exitCode = real ? await reexecInPrivateNamespace() : undefined;
  if (exitCode !== undefined) process.exit(exitCode);

  const cloud = await startLocalCloud(options);
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    stopping ??= cloud.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (options.stopWithParent) process.stdin.on('end', stop).resume();

  const deployment = options.deploy === undefined ? undefined : await cloud.deploy(options.deploy);
  const ready = { url: cloud.url, pid: Number(process.env[KNOWN_PID]), deployment };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

serve(JSON.parse(process.argv[2] ?? '{}') as ServeOptions).catch(fail);
