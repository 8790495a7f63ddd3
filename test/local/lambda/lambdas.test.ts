import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RealClock } from '../../../local/clock';
import { Lambdas, type LambdaFunction } from '../../../local/lambda';
import { temporaryFolder } from '../../support/temporary-folder';

const SOURCE = `
let calls = 0;
exports.echo = async (event, context) => ({ event, call: ++calls, name: context.functionName });
exports.environment = async () => ({ ...process.env });
exports.remaining = async (_event, context) => context.getRemainingTimeInMillis();
exports.nothing = async () => undefined;
exports.boom = async () => { const error = new Error('broken'); error.name = 'MyError'; throw error; };
exports.forever = () => new Promise(() => setInterval(() => {}, 1000));
exports.spin = async () => { for (;;); };
exports.exit = async () => process.exit(3);
exports.stray = () => { setTimeout(() => { throw new TypeError('stray'); }, 1); return new Promise(() => {}); };
exports.large = async (n) => 'x'.repeat(n);
exports.hungry = async () => { const all = []; for (;;) all.push(new Array(1e6).fill(1.5)); };
exports.print = async (event) => { console.log('line', event.n); console.error('warned'); return null; };
exports.slow = (event) => new Promise((resolve) => setTimeout(() => resolve(event), event.ms));
exports.meet = async ({ folder, together }) => {
  const { readdirSync, writeFileSync } = require('node:fs');
  writeFileSync(folder + '/' + Math.random(), '');
  while (readdirSync(folder).length < together) await new Promise((resolve) => setTimeout(resolve, 10));
};
exports.flaky = async () => { if (++calls < 3) throw new Error('not yet'); console.log('at last'); };
`;

const codeFolder = temporaryFolder('code');
writeFileSync(path.join(codeFolder, 'index.js'), SOURCE);
const logFolder = temporaryFolder('logs');
let lambdas: Lambdas;

beforeEach(() => {
  lambdas = new Lambdas({
    logFolder,
    variables: () => ({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1', PATH: '/bin' }),
    clock: new RealClock({ speed: 10_000 }),
  });
});
afterEach(() => lambdas.close());

async function put(exported: string, more: Partial<LambdaFunction> = {}): Promise<string> {
  const name = `the-${exported}`;
  await lambdas.put({
    name,
    arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    codeFolder,
    handler: `index.${exported}`,
    runtime: 'nodejs24.x',
    timeoutSeconds: 20,
    memoryMegabytes: 256,
    environment: {},
    ...more,
  });
  return name;
}

const invoke = async (name: string, payload: unknown = {}) => {
  const { payload: text, functionError } = await lambdas.invoke(name, JSON.stringify(payload));
  return { functionError, result: JSON.parse(text) as unknown };
};

test('a handler gets event and context; the next invocation finds the same warm environment', async () => {
  const name = await put('echo');
  expect(await invoke(name, { a: 1 })).toEqual({ result: { event: { a: 1 }, call: 1, name } });
  expect(await invoke(name, { a: 2 })).toMatchObject({ result: { call: 2 } });
});

test('an ARN names the function too; a name that is not there is refused', async () => {
  await put('echo');
  expect(
    (await invoke('arn:aws:lambda:us-east-1:000000000000:function:the-echo')).functionError,
  ).toBeUndefined();
  await expect(invoke('other')).rejects.toMatchObject({ name: 'ResourceNotFoundException', status: 404 });
});

test("the environment is the endpoint, Lambda's own and the function's, and nothing of this process", async () => {
  const name = await put('environment', { environment: { BUCKET_NAME: 'b' } });
  const { result } = await invoke(name);
  expect(result).toMatchObject({
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    BUCKET_NAME: 'b',
    TZ: 'UTC',
  });
  expect(result).not.toHaveProperty('HOME');
});

test('remaining time comes from the time-out', async () => {
  const { result } = await invoke(await put('remaining', { timeoutSeconds: 7 }));
  expect(result).toBeGreaterThan(1_000);
  expect(result).toBeLessThanOrEqual(7_000);
});

test('undefined is null', async () => {
  expect(await invoke(await put('nothing'))).toEqual({ result: null });
});

test('what is thrown becomes errorType, errorMessage and trace', async () => {
  const { functionError, result } = await invoke(await put('boom'));
  expect(functionError).toBe('Unhandled');
  expect(result).toMatchObject({ errorType: 'MyError', errorMessage: 'broken' });
  expect((result as { trace: string[] }).trace[0]).toBe('MyError: broken');
});

test.each(['forever', 'spin'])(
  '%s: the time-out kills the worker, the next invocation gets a fresh one',
  async (kind) => {
    const name = await put(kind, { timeoutSeconds: 1 });
    const { result } = await invoke(name);
    expect(result).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(
        /^RequestId: \S+ Error: Task timed out after 1\.00 seconds$/,
      ) as string,
    });
    await put('echo', { name });
    expect(await invoke(name)).toMatchObject({ result: { call: 1 } });
  },
);

test.each([
  ['exit', 'Runtime.ExitError', 'exit status 3'],
  ['stray', 'Runtime.UnhandledError', 'TypeError: stray'],
])('%s of the worker is an error of the invocation', async (exported, errorType, message) => {
  const { result } = await invoke(await put(exported));
  expect(result).toMatchObject({ errorType, errorMessage: expect.stringContaining(message) as string });
});

test('memory above MemorySize ends the function, not this process', async () => {
  const { result } = await invoke(await put('hungry', { memoryMegabytes: 32 }));
  expect(result).toMatchObject({ errorType: 'Runtime.OutOfMemory' });
});

test('a handler that is not there, and a file that is not there', async () => {
  expect((await invoke(await put('missing'))).result).toMatchObject({ errorType: 'Runtime.HandlerNotFound' });
  const name = await put('echo', { handler: 'other.echo' });
  expect((await invoke(name)).result).toMatchObject({ errorType: 'Runtime.ImportModuleError' });
});

test('payloads have at most 6 MiB, both ways', async () => {
  const name = await put('large');
  const { result } = await invoke(name, 6 * 1024 * 1024);
  expect(result).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
  await expect(invoke(name, 'x'.repeat(6 * 1024 * 1024))).rejects.toMatchObject({ status: 413 });
});

test('invocations of one function run side by side, and no more at once than allowed', async () => {
  const name = await put('meet', { timeoutSeconds: 60 });
  const folder = temporaryFolder('meet');
  const invocations = Array.from({ length: 3 }, () => invoke(name, { folder, together: 3 }));
  expect(await Promise.all(invocations)).toEqual(invocations.map(() => ({ result: null })));

  const narrow = new Lambdas({ logFolder, variables: () => ({}), clock: new RealClock(), concurrency: 1 });
  await narrow.put({ ...lambdas.find(name), timeoutSeconds: 1 });
  const alone = temporaryFolder('alone');
  const payload = JSON.stringify({ folder: alone, together: 2 });
  const [first] = await Promise.all([narrow.invoke(name, payload), narrow.invoke(name, payload)]);
  expect(first.payload).toContain('Sandbox.Timedout');
  await narrow.close();
}, 60_000);

test('the log has what was printed, between START and END', async () => {
  const name = await put('print');
  const answer = await lambdas.invoke(name, '{"n":7}');
  expect(answer.log).toMatch(
    /^START RequestId: (\S+) Version: \$LATEST\nline 7\nwarned\nEND RequestId: \1\nREPORT /,
  );
  expect(readFileSync(path.join(logFolder, `${name}.log`), 'utf8')).toContain(answer.log);
});

test('an event is answered at once and tried up to three times', async () => {
  const name = await put('flaky');
  expect(await lambdas.invoke(name, '{}', { event: true })).toMatchObject({ statusCode: 202 });
  const log = path.join(logFolder, `${name}.log`);
  const printed = (): string => {
    try {
      return readFileSync(log, 'utf8');
    } catch {
      return '';
    }
  };
  while (!printed().includes('at last')) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(printed().match(/START/g)).toHaveLength(3);
});

test('the k-th call dies when a fault says so, the one behind it goes on', async () => {
  const name = await put('slow');
  lambdas.faults.kill({ functionName: name, call: 2, afterMilliseconds: 20 });
  expect(await invoke(name, { ms: 1 })).toEqual({ result: { ms: 1 } });
  expect(await invoke(name, { ms: 5000 })).toMatchObject({
    functionError: 'Unhandled',
    result: {
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringContaining('signal: killed') as string,
    },
  });
  expect(await invoke(name, { ms: 1 })).toEqual({ result: { ms: 1 } });
});
