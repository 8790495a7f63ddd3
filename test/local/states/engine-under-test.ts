import { RealClock, type Clock } from '../../../local/clock';
import { Engine } from '../../../local/states';
import type { ExecutionRecord } from '../../../local/states/executions/execution-record';
import type { Json, JsonObject } from '../../../local/states/json';
import { temporaryFolder } from '../../support/temporary-folder';

/** A function as the tests write it: event in, result out; what it throws is its error. */
export type TestFunction = (event: never) => unknown;

export interface EngineUnderTest {
  readonly engine: Engine;
  readonly folder: string;
  readonly objects: Map<string, Buffer>;
  /** Runs a machine of these states to its end. */
  run(states: JsonObject, input?: Json, more?: JsonObject): Promise<ExecutionRecord>;
  /** The parsed output of a run that has to succeed. */
  output(states: JsonObject, input?: Json, more?: JsonObject): Promise<Json>;
}

interface Options {
  functions?: Record<string, TestFunction>;
  clock?: Clock;
  folder?: string;
  random?: () => number;
}

/** An engine with Lambda functions that are plain functions, and a bucket that is a map. */
export function engineUnderTest({
  functions = {},
  clock = new RealClock({ speed: 1000 }),
  folder = temporaryFolder('states'),
  random = () => 1,
}: Options = {}): EngineUnderTest {
  const objects = new Map<string, Buffer>();
  const engine = new Engine({
    folder,
    clock,
    random,
    region: 'eu-west-1',
    accountId: '123456789012',
    targets: { lambda: { invoke: invoker(functions) }, aws: noServices },
    objects: {
      async get(bucket, key) {
        const body = objects.get(`${bucket}/${key}`);
        if (!body) throw Object.assign(new Error('The specified key does not exist.'), { name: 'NoSuchKey' });
        return body;
      },
      async put(bucket, key, body) {
        objects.set(`${bucket}/${key}`, body);
      },
    },
  });
  let count = 0;
  const run: EngineUnderTest['run'] = async (states, input = {}, more = {}) => {
    const definition = { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states, ...more };
    const machine = engine.putStateMachine(`machine-${++count}`, JSON.stringify(definition));
    const { executionArn } = engine.start(machine, 'run', input);
    const ended = await engine.ended(executionArn);
    if (!ended) throw new Error(`The execution ${executionArn} is lost.`);
    return ended;
  };
  return {
    engine,
    folder,
    objects,
    run,
    async output(...machine) {
      const ended = await run(...machine);
      if (ended.status !== 'SUCCEEDED') throw new Error(`${ended.status} ${ended.error}: ${ended.cause}`);
      return JSON.parse(ended.output ?? 'null') as Json;
    },
  };
}

const invoker =
  (functions: Record<string, TestFunction>) =>
  async (
    name: string,
    payload: string,
  ): Promise<{ statusCode: number; payload: string; functionError?: string }> => {
    const called = functions[name.replace(/^arn:.*:function:/, '')];
    if (!called)
      throw Object.assign(new Error(`Function not found: ${name}`), { name: 'ResourceNotFoundException' });
    try {
      const result = (await called(JSON.parse(payload) as never)) ?? null;
      return { statusCode: 200, payload: JSON.stringify(result) };
    } catch (error) {
      const { name: errorType, message: errorMessage } = error as Error;
      const thrown = JSON.stringify({ errorType, errorMessage, trace: [] });
      return { statusCode: 200, payload: thrown, functionError: 'Unhandled' };
    }
  };

const noServices = {
  refusal: () => 'no service',
  call: () => Promise.reject(new Error('no service')),
};

/** A Task that calls one of the test's functions. */
export const callOf = (name: string, more: JsonObject = {}): JsonObject => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: {
    FunctionName: `arn:aws:lambda:eu-west-1:123456789012:function:${name}`,
    Payload: '{% $states.input %}',
  },
  Output: '{% $states.result.Payload %}',
  ...('Next' in more ? {} : { End: true }),
  ...more,
});

/** A Distributed Map over a graph of states. */
export const distributedOf = (states: JsonObject, more: JsonObject = {}): JsonObject => ({
  Type: 'Map',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: Object.keys(states)[0] as string,
    States: states,
  },
  ...('Next' in more ? {} : { End: true }),
  ...more,
});

export const throwing = (name: string, message = 'as told'): never => {
  throw Object.assign(new Error(message), { name });
};
