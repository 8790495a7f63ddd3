import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FunctionError, LambdaFunction } from './lambda-function';
import { reservedEnvironment } from './lambda-function';

/** How an invocation ended. `spent` environments take no more. */
export type Outcome =
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'error'; readonly error: FunctionError }
  /** The worker ended under the invocation: exit, out of memory, an exception outside of the handler. */
  | { readonly kind: 'exit'; readonly error: FunctionError };

type FromWorker =
  Outcome | { kind: 'ready' } | { kind: 'init-error'; error: FunctionError } | { kind: 'log'; text: string };

export interface Invocation {
  readonly requestId: string;
  readonly payload: string;
  readonly functionArn: string;
  /** Milliseconds since 1970, by the machine's clock. */
  readonly deadline: number;
}

const RUNTIME = path.join(__dirname, 'runtime.mjs');

/** One execution environment: a worker thread that has loaded the handler and takes one invocation at a time. */
export class ExecutionEnvironment {
  spent = false;
  /** Resolves when the handler is loaded; an outcome when it could not be. */
  readonly ready: Promise<Outcome | undefined>;
  private readonly worker: Worker;
  private settle: ((outcome: Outcome) => void) | undefined;
  private log: (text: string) => void = () => undefined;

  constructor(lambda: LambdaFunction, environment: Readonly<Record<string, string>>) {
    const { codeFolder, handler, name, memoryMegabytes } = lambda;
    this.worker = new Worker(RUNTIME, {
      workerData: { codeFolder, handler, name, memoryMegabytes },
      env: { ...environment, ...reservedEnvironment(lambda), ...lambda.environment },
      resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
      execArgv: [],
      stdout: true,
      stderr: true,
    });
    this.worker.unref();
    this.ready = new Promise((resolve) => {
      this.settle = resolve;
      this.worker.on('message', (message: FromWorker) => this.receive(message, resolve));
    });
    this.worker.on('error', (error) => this.crashed(error));
    this.worker.on('exit', (code) => this.exited(code));
  }

  /** @param log gets what the handler prints, in order and before the outcome. */
  async run(invocation: Invocation, log: (text: string) => void): Promise<Outcome> {
    this.log = log;
    const outcome = new Promise<Outcome>((resolve) => (this.settle = resolve));
    this.worker.ref();
    this.worker.postMessage(invocation);
    try {
      return await outcome;
    } finally {
      this.worker.unref();
    }
  }

  async end(): Promise<void> {
    this.spent = true;
    await this.worker.terminate();
  }

  private receive(message: FromWorker, ready: (outcome: undefined) => void): void {
    if (message.kind === 'log') this.log(message.text);
    else if (message.kind === 'ready') ready(undefined);
    else if (message.kind === 'init-error') {
      this.spent = true;
      this.settle?.({ kind: 'error', error: message.error });
    } else this.settle?.(message);
  }

  private crashed(error: Error & { code?: string }): void {
    this.spent = true;
    const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    this.settle?.({
      kind: 'exit',
      error: outOfMemory
        ? {
            errorType: 'Runtime.OutOfMemory',
            errorMessage: 'Error: Runtime exited with error: signal: killed',
          }
        : {
            errorType: 'Runtime.UnhandledError',
            errorMessage: `${error.name}: ${error.message}`,
            trace: (error.stack ?? '').split('\n'),
          },
    });
  }

  private exited(code: number): void {
    this.spent = true;
    const errorMessage = `Error: Runtime exited with error: exit status ${code}`;
    this.settle?.({ kind: 'exit', error: { errorType: 'Runtime.ExitError', errorMessage } });
  }
}
