import { Readable } from 'node:stream';
import { HttpRequest, HttpResponse } from '@smithy/core/protocols';
import { NoAnswer } from './aws-error';
import type { WireService } from './wire';

/**
 * A `requestHandler` for an SDK client that calls the service directly, with no socket between: for tests, and where
 * bytes matter.
 */
export function inProcessHandler(service: WireService) {
  return {
    metadata: { handlerProtocol: 'h1' },
    destroy(): void {},
    updateHttpClientConfig(): void {},
    httpHandlerConfigs: () => ({}),
    async handle(request: HttpRequest): Promise<{ response: HttpResponse }> {
      const answer = await service({
        method: request.method,
        path: request.path,
        query: Object.fromEntries(
          Object.entries(request.query ?? {}).map(([name, value]) => [name, String(value ?? '')]),
        ),
        headers: Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
        ),
        body: await bytesOf(request.body),
      }).catch((error: unknown) => {
        if (error instanceof NoAnswer)
          throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
        throw error;
      });
      const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
      return {
        response: new HttpResponse({
          statusCode: answer.status,
          headers: { ...answer.headers, 'content-length': String(body.length) },
          body: Readable.from(body.length > 0 ? [body] : [], { objectMode: false }),
        }),
      };
    },
  };
}

async function bytesOf(body: unknown): Promise<Buffer> {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  if (Buffer.isBuffer(body)) return body;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return Buffer.concat((await (body as Readable).toArray()) as Buffer[]);
}
