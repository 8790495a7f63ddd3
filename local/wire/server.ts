import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NoAnswer } from './aws-error';
import type { WireRequest, WireService } from './wire';

/** The service's name in the credential scope of a Signature Version 4 header or presigned query. */
const CREDENTIAL_SCOPE = /(?:Credential=|^)[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/;

export interface ServeOptions {
  /** Largest request body taken, in bytes. Default 256 MiB. */
  bodyLimitBytes?: number;
}

export interface WireServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves all services on one loopback port (0 = any free one). Which service a request is for is read from its
 * signature's credential scope; signatures themselves are not checked.
 */
export async function serveWire(
  services: Record<string, WireService>,
  port: number,
  { bodyLimitBytes = 256 * 1024 * 1024 }: ServeOptions = {},
): Promise<WireServer> {
  const route = routeByCredentialScope(services);
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
    respond(incoming, outgoing, route, bodyLimitBytes).catch((error: unknown) => {
      outgoing.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** One service out of many, chosen by the credential scope of each request. */
export function routeByCredentialScope(services: Record<string, WireService>): WireService {
  return async (request) => {
    const credential = request.headers['authorization'] ?? request.query['X-Amz-Credential'] ?? '';
    const name = CREDENTIAL_SCOPE.exec(credential)?.[1];
    const service = name === undefined ? undefined : services[name];
    if (service) return service(request);
    const message =
      name === undefined
        ? 'The request is not signed: sign it with any credentials, so that the service can be told.'
        : `The service ${name} is not emulated here. Services: ${Object.keys(services).join(', ')}`;
    return {
      status: name === undefined ? 403 : 404,
      headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'MissingAuthenticationToken' },
      body: JSON.stringify({ __type: 'MissingAuthenticationToken', message }),
    };
  };
}

async function respond(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  service: WireService,
  bodyLimitBytes: number,
): Promise<void> {
  const body = await readBody(incoming, bodyLimitBytes);
  if (!body) {
    outgoing.writeHead(413, { connection: 'close' }).end();
    incoming.resume();
    return;
  }
  try {
    const answer = await service(requestOf(incoming, body));
    const bytes = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    const headers: Record<string, string | number> = { ...answer.headers };
    // A HEAD answer carries the length of the body it does not send.
    if (incoming.method !== 'HEAD' && answer.status !== 204 && answer.status !== 304)
      headers['content-length'] = bytes.length;
    outgoing.writeHead(answer.status, headers);
    outgoing.end(incoming.method === 'HEAD' ? undefined : bytes);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    incoming.socket.destroy();
  }
}

function requestOf(incoming: IncomingMessage, body: Buffer): WireRequest {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark + 1))),
    headers,
    body,
  };
}

/** The whole body, or undefined when it is larger than the limit. */
async function readBody(incoming: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) return undefined;
    chunks.push(chunk);
  }
  const [first] = chunks;
  return chunks.length === 1 && first ? first : Buffer.concat(chunks, length);
}
