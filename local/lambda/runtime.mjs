// Runs inside a worker thread: the Node.js runtime of Lambda as far as a handler can tell (Lambda developer guide,
// "Node.js"). Plain JavaScript, so that a worker needs no loader. The other side is execution-environment.ts.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const send = (message) => parentPort.postMessage(message);

// Through the port, so that a line is never behind the answer of its invocation.
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk, encoding, callback) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    send({ kind: 'log', text });
    (typeof encoding === 'function' ? encoding : callback)?.();
    return true;
  };
}

const describe = (thrown) =>
  thrown instanceof Error || (typeof thrown === 'object' && thrown !== null && 'message' in thrown)
    ? {
        errorType: String(thrown.name ?? 'Error'),
        errorMessage: String(thrown.message),
        trace: String(thrown.stack ?? '').split('\n'),
      }
    : { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };

class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

async function loadHandler({ codeFolder, handler }) {
  const dot = handler.lastIndexOf('.');
  const [file, name] = [handler.slice(0, dot), handler.slice(dot + 1)];
  const found = ['.js', '.mjs', '.cjs']
    .map((ending) => path.join(codeFolder, file + ending))
    .find((f) => existsSync(f));
  if (!found) throw new RuntimeError('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`);
  const module = await import(pathToFileURL(found).href);
  const loaded = module[name] ?? module.default?.[name];
  if (typeof loaded !== 'function')
    throw new RuntimeError('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  return loaded;
}

function contextOf({ requestId, deadline, functionArn }) {
  const { name, memoryMegabytes } = workerData;
  return {
    awsRequestId: requestId,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(memoryMegabytes),
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

async function invoke(handler, message) {
  try {
    const result = await handler(JSON.parse(message.payload), contextOf(message));
    send({ kind: 'result', payload: JSON.stringify(result ?? null) ?? 'null' });
  } catch (thrown) {
    send({ kind: 'error', error: describe(thrown) });
  }
}

try {
  const handler = await loadHandler(workerData);
  parentPort.on('message', (message) => invoke(handler, message));
  send({ kind: 'ready' });
} catch (thrown) {
  send({ kind: 'init-error', error: describe(thrown) });
}
