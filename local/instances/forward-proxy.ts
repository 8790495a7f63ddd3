import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { leadsToHost, lookupElsewhere } from './host-addresses';

export interface ForwardProxyOptions {
  /** Folders served as sites of their own, by host name: `{'repository.local': '/var/lib/repository'}`. */
  readonly sites?: Readonly<Record<string, string>>;
  /** A proxy to go out through, such as the host's own `http_proxy`. */
  readonly upstream?: string;
  /** Where the embedded cloud serves. Of it, machines reach what a presigned URL leads to, as they have no credentials. */
  readonly cloud?: () => string;
}

/** Ports that machines may reach through the proxy: package mirrors. */
const PORTS = new Set([80, 443]);
const HOP_BY_HOP = new Set([
  'proxy-connection',
  'connection',
  'keep-alive',
  'proxy-authorization',
  'te',
  'upgrade',
]);

/**
 * An HTTP proxy, the one way out of a machine: plain requests and CONNECT tunnels to ports 80 and 443 of other hosts, and
 * local folders under host names of their own. The host itself is not reached, by no address and by no name, but for what
 * is presigned.
 */
export function createForwardProxy(options: ForwardProxyOptions): Server {
  const parent = options.upstream === undefined ? undefined : new URL(options.upstream);
  const server = createServer((incoming, outgoing) => {
    forward(incoming, outgoing, options, parent).catch((error: unknown) =>
      refuse(outgoing, 502, String(error)),
    );
  });
  server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    tunnel(incoming, socket, head, parent);
  });
  return server;
}

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { sites = {}, cloud }: ForwardProxyOptions,
  parent: URL | undefined,
): Promise<void> {
  const target = URL.parse(incoming.url ?? '');
  if (!target || target.protocol !== 'http:')
    return refuse(outgoing, 400, 'Only absolute http: requests are proxied.');
  const folder = sites[target.hostname];
  if (folder !== undefined) return sendFile(incoming, outgoing, folder, target.pathname);
  const isPresigned = target.origin === cloud?.() && target.searchParams.has('X-Amz-Signature');
  if (!isPresigned && !allowed(target.hostname, Number(target.port || 80)))
    return refuse(outgoing, 403, `${target.host} is not reachable from a machine.`);
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).filter(([name]) => !HOP_BY_HOP.has(name)),
  );
  const through = isPresigned ? undefined : parent;
  const onward = request({
    ...(through
      ? { host: through.hostname, port: through.port || 80 }
      : { host: target.hostname, port: target.port || 80, ...(!isPresigned && { lookup: lookupElsewhere }) }),
    method: incoming.method,
    path: through ? target.href : target.pathname + target.search,
    headers: { ...headers, host: target.host },
  });
  onward.once('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, outgoing).catch(() => outgoing.destroy());
  });
  outgoing.once('close', () => onward.destroy());
  onward.on('error', (error) => refuse(outgoing, 502, error.message));
  await pipeline(incoming, onward);
}

function tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer, parent: URL | undefined): void {
  const [host = '', port = '443'] = (incoming.url ?? '').split(':');
  socket.on('error', () => socket.destroy());
  if (!allowed(host, Number(port))) {
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    return;
  }
  const onward = connect(
    parent
      ? { host: parent.hostname, port: Number(parent.port || 80) }
      : { host, port: Number(port), lookup: lookupElsewhere },
    () => {
      if (parent) onward.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
      else socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    },
  );
  onward.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  socket.once('close', () => onward.destroy());
}

const allowed = (host: string, port: number): boolean => PORTS.has(port) && !leadsToHost(host);

async function sendFile(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  folder: string,
  urlPath: string,
): Promise<void> {
  const file = path.join(folder, path.posix.normalize(decodeURIComponent(urlPath)));
  const found = file.startsWith(path.resolve(folder) + path.sep)
    ? await stat(file).catch(() => undefined)
    : undefined;
  if (!found?.isFile()) return refuse(outgoing, 404, `${urlPath} is not there.`);
  outgoing.writeHead(200, {
    'content-length': found.size,
    'content-type': 'application/octet-stream',
    'last-modified': found.mtime.toUTCString(),
  });
  if (incoming.method === 'HEAD') outgoing.end();
  else await pipeline(createReadStream(file), outgoing);
}

function refuse(outgoing: ServerResponse, status: number, why: string): void {
  if (outgoing.headersSent) outgoing.destroy();
  else outgoing.writeHead(status, { 'content-type': 'text/plain' }).end(`${why}\n`);
}
