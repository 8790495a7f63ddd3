import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { leadsToHost } from '../../../local/instances/host-addresses';
import { createForwardProxy } from '../../../local/instances/forward-proxy';

let folder: string;
let upstream: Server;
let proxy: Server;
let cloud: Server;
let cloudUrl: string;
const seen: string[] = [];

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
const close = (server: Server): Promise<void> => {
  server.closeAllConnections();
  return new Promise((resolve) => void server.close(() => resolve()));
};

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'imageelves-proxy-'));
  await mkdir(path.join(folder, 'site'));
  await writeFile(path.join(folder, 'site/file'), 'content');
  await writeFile(path.join(folder, 'secret'), 'secret');
  upstream = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url} ${incoming.headers.host}`);
    outgoing.end('from upstream');
  });
  upstream.on('connect', (incoming, socket) => {
    seen.push(`CONNECT ${incoming.url}`);
    socket.end('HTTP/1.1 200 OK\r\n\r\ntunnelled');
  });
  cloud = createServer((incoming, outgoing) => outgoing.end(`cloud ${incoming.method} ${incoming.url}`));
  cloudUrl = `http://127.0.0.1:${await listen(cloud)}`;
  const port = await listen(upstream);
  proxy = createForwardProxy({
    sites: { 'repository.local': path.join(folder, 'site') },
    upstream: `http://127.0.0.1:${port}`,
    cloud: () => cloudUrl,
  });
  await listen(proxy);
});

afterAll(async () => {
  await close(proxy);
  await close(upstream);
  await close(cloud);
  await rm(folder, { recursive: true });
});

function get(url: string): Promise<{ status: number; body: string }> {
  const { port } = proxy.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: url, headers: { host: 'x' }, agent: false }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

function connectTo(target: string): Promise<string> {
  const { port } = proxy.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`),
    );
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

test('folders are sites of their own, and nothing beside them', async () => {
  expect(await get('http://repository.local/file')).toEqual({ status: 200, body: 'content' });
  expect((await get('http://repository.local/absent')).status).toBe(404);
  expect((await get('http://repository.local/..%2fsecret')).status).toBe(404);
  expect((await get('http://repository.local/')).status).toBe(404);
});

test('other hosts are reached by their names', async () => {
  expect(await get('http://deb.example.org/dists?x=1')).toEqual({ status: 200, body: 'from upstream' });
  expect(seen.at(-1)).toBe('GET http://deb.example.org/dists?x=1 deb.example.org');
  expect(await connectTo('deb.example.org:443')).toContain('tunnelled');
  expect(seen.at(-1)).toBe('CONNECT deb.example.org:443');
});

test.each(['127.0.0.1', 'localhost', '0.0.0.0', '169.254.169.254', '[::1]', 'deb.example.org:22'])(
  '%s is not for machines',
  async (host) => {
    expect((await get(`http://${host}/`)).status).toBe(403);
    expect(await connectTo(host.includes(':2') ? host : `${host}:443`)).toContain('403');
  },
);

test('of the embedded cloud machines reach what is presigned, and nothing else of the host', async () => {
  const presigned = '/bucket/key?X-Amz-Signature=0';
  expect(await get(cloudUrl + presigned)).toEqual({ status: 200, body: `cloud GET ${presigned}` });
  expect((await get(`${cloudUrl}/bucket/key`)).status).toBe(403);
  expect((await get(`http://127.0.0.1:1${presigned}`)).status).toBe(403);
  expect(await connectTo(cloudUrl.slice('http://'.length))).toContain('403');
});

test('what is no absolute URL is refused', async () => {
  expect((await get('/file')).status).toBe(400);
  expect((await get('ftp://deb.example.org/')).status).toBe(400);
});

test('a name of this host is refused too, when it is looked up', async () => {
  const direct = createForwardProxy({});
  const port = await listen(direct);
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  expect(leadsToHost(own[0]?.address ?? '')).toBe(true);
  await new Promise<void>((resolve) => {
    request({ host: '127.0.0.1', port, path: `http://${hostname()}/`, agent: false }, (answer) => {
      expect([403, 502]).toContain(answer.statusCode);
      answer.resume().on('end', () => resolve());
    }).end();
  });
  await close(direct);
});
