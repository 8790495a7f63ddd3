import { availableParallelism, totalmem } from 'node:os';
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import type { Clock } from '../clock';
import { AwsError } from '../wire';
import { EnvironmentPool } from './environment-pool';
import type { ExecutionEnvironment, Outcome } from './execution-environment';
import { LambdaFaults } from './faults';
import { FunctionLog } from './function-log';
import type { LambdaFunction } from './lambda-function';

export interface LambdasOptions {
  /** One log file a function is written below it. */
  readonly logFolder: string;
  /** For every function: the endpoint, the region, credentials. Asked at the start of each worker. */
  readonly variables: () => Readonly<Record<string, string>>;
  /** Invocations at once, over all functions. @default two for each processor, and no more than memory allows */
  readonly concurrency?: number;
  /** For the delays between attempts of event invocations. */
  readonly clock: Clock;
}

/** The answer to an invocation. */
export interface InvocationAnswer {
  readonly statusCode: number;
  /** JSON text. */
  readonly payload: string;
  readonly functionError?: string;
  /** What the invocation printed. */
  readonly log: string;
}

/** Synchronous payloads, both ways (Lambda quotas). */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
const EVENT_RETRY_SECONDS = [60, 120];

/** What a function that holds the blocks of a volume may take, with what its last invocation left to be collected. */
const BYTES_PER_INVOCATION = 2 * 2 ** 30;

const defaultConcurrency = (): number =>
  Math.max(1, Math.min(2 * availableParallelism(), Math.floor(totalmem() / BYTES_PER_INVOCATION)));

/** The functions of the embedded cloud, each run in worker threads. */
export class Lambdas {
  readonly faults = new LambdaFaults();
  private readonly functions = new Map<string, LambdaFunction>();
  private readonly pool: EnvironmentPool;
  private readonly limit: ReturnType<typeof pLimit>;
  private readonly busy = new Set<ExecutionEnvironment>();
  private readonly events = new Set<Promise<void>>();
  private readonly closing = new AbortController();

  constructor(private readonly options: LambdasOptions) {
    this.pool = new EnvironmentPool(options.variables);
    this.limit = pLimit(options.concurrency ?? defaultConcurrency());
  }

  list(): LambdaFunction[] {
    return [...this.functions.values()];
  }

  /** Adds a function or gives it new code or settings; invocations under way end with what they have. */
  async put(lambda: LambdaFunction): Promise<void> {
    const known = this.functions.get(lambda.name);
    this.functions.set(lambda.name, lambda);
    if (known) await this.pool.drop(known);
  }

  /** @param name a name or an ARN, with or without qualifier. @throws AwsError ResourceNotFoundException */
  find(name: string): LambdaFunction {
    const plain = name.replace(/^arn:[\w-]+:lambda:[^:]*:[^:]*:function:/, '').replace(/:[^:]*$/, '');
    const lambda = this.functions.get(plain);
    if (lambda) return lambda;
    throw new AwsError('ResourceNotFoundException', `Function not found: ${name}`, 404);
  }

  /**
   * Runs a function and waits for its answer, or, as an event, starts it.
   * @throws AwsError ResourceNotFoundException, RequestTooLargeException
   */
  async invoke(name: string, payload: string, { event = false } = {}): Promise<InvocationAnswer> {
    const lambda = this.find(name);
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES)
      throw new AwsError(
        'RequestTooLargeException',
        `Request must be smaller than ${MAX_PAYLOAD_BYTES} bytes`,
        413,
      );
    if (!event) return this.limit(() => this.runOnce(lambda, payload));
    const running = this.runEvent(lambda, payload).finally(() => this.events.delete(running));
    this.events.add(running);
    return { statusCode: 202, payload: '', log: '' };
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('The embedded cloud was stopped.'));
    await Promise.all([...this.busy].map((environment) => environment.end()));
    await this.pool.drop();
    await Promise.all(this.events);
  }

  /** An event is tried again twice when the function fails. */
  private async runEvent(lambda: LambdaFunction, payload: string): Promise<void> {
    for (const seconds of [...EVENT_RETRY_SECONDS, undefined]) {
      const { functionError } = await this.limit(() => this.runOnce(lambda, payload));
      if (functionError === undefined || seconds === undefined) return;
      try {
        await this.options.clock.sleep(seconds * 1000, this.closing.signal);
      } catch (error) {
        if (this.closing.signal.aborted) return;
        throw error;
      }
    }
  }

  private async runOnce(lambda: LambdaFunction, payload: string): Promise<InvocationAnswer> {
    const requestId = randomUUID();
    const killAfter = this.faults.countCall(lambda.name);
    const log = new FunctionLog(this.options.logFolder, lambda.name).invocation(requestId);
    const startedAt = performance.now();
    const environment = this.pool.take(lambda);
    this.busy.add(environment);
    try {
      const outcome =
        (await environment.ready) ??
        (await limited(environment, lambda, { requestId, payload }, killAfter, log.print));
      const answer = answerOf(outcome, requestId);
      const told = outcome.kind === 'result' ? '' : answer.payload;
      return { ...answer, log: log.end(told, performance.now() - startedAt) };
    } finally {
      this.busy.delete(environment);
      await this.pool.giveBack(lambda, environment);
    }
  }
}

/** Runs one invocation under the function's time limit, and under the fault that was asked for. */
async function limited(
  environment: ExecutionEnvironment,
  lambda: LambdaFunction,
  { requestId, payload }: { requestId: string; payload: string },
  killAfter: number | undefined,
  print: (text: string) => void,
): Promise<Outcome> {
  const limit = lambda.timeoutSeconds * 1000;
  const invocation = { requestId, payload, functionArn: lambda.arn, deadline: Date.now() + limit };
  const timers: NodeJS.Timeout[] = [];
  const endedAfter = (milliseconds: number, errorType: string, errorMessage: string): Promise<Outcome> =>
    new Promise((resolve) => {
      const end = (): void => {
        void environment.end();
        resolve({ kind: 'exit', error: { errorType, errorMessage } });
      };
      timers.push(setTimeout(end, milliseconds));
    });
  const timedOut = `Error: Task timed out after ${lambda.timeoutSeconds.toFixed(2)} seconds`;
  const killed = 'Error: Runtime exited with error: signal: killed';
  try {
    return await Promise.race([
      environment.run(invocation, print),
      endedAfter(limit, 'Sandbox.Timedout', timedOut),
      ...(killAfter === undefined ? [] : [endedAfter(killAfter, 'Runtime.ExitError', killed)]),
    ]);
  } finally {
    timers.forEach(clearTimeout);
  }
}

function answerOf(outcome: Outcome, requestId: string): Omit<InvocationAnswer, 'log'> {
  if (outcome.kind === 'result') {
    const bytes = Buffer.byteLength(outcome.payload);
    if (bytes <= MAX_PAYLOAD_BYTES) return { statusCode: 200, payload: outcome.payload };
    const errorMessage = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`;
    const payload = JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage });
    return { statusCode: 200, payload, functionError: 'Unhandled' };
  }
  const { error } = outcome;
  const told =
    outcome.kind === 'exit'
      ? { ...error, errorMessage: `RequestId: ${requestId} ${error.errorMessage}` }
      : error;
  return { statusCode: 200, payload: JSON.stringify(told), functionError: 'Unhandled' };
}
