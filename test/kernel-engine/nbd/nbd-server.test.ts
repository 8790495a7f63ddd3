import path from 'node:path';
import type { BlockDevice } from '../../../core/block-device/block-device';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { NbdListenError } from '../../../kernel-engine/nbd/nbd-errors';
import type { NbdExport } from '../../../kernel-engine/nbd/nbd-export';
import { NbdServer } from '../../../kernel-engine/nbd/nbd-server';
import { temporaryFolder } from '../../support/temporary-folder';
import { RawClient, u32 } from './raw-client';

const [READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES] = [0, 1, 2, 3, 4, 5, 6];
const [EPERM, EIO, EINVAL, ENOSPC] = [1, 5, 22, 28];
const MIB = 1024 * 1024;

const folder = temporaryFolder('nbd');
const servers: NbdServer[] = [];
const clients: RawClient[] = [];
let count = 0;

async function serve(device: BlockDevice, inFlightBytes?: number): Promise<NbdServer> {
  const exports = new Map<string, NbdExport>([
    ['disk', { access: 'read-write', device }],
    ['same, to read', { access: 'read-only', device }],
  ]);
  const server = await NbdServer.listen({ socketPath: socketPath(), exports, inFlightBytes });
  servers.push(server);
  return server;
}

const socketPath = (): string => path.join(folder, `${(count += 1)}.sock`);

async function client(): Promise<RawClient> {
  const made = await RawClient.connect(path.join(folder, `${count}.sock`));
  clients.push(made);
  return made;
}

async function clientOf(name: string): Promise<RawClient> {
  const made = await client();
  await made.choose(name);
  return made;
}

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A device whose reads and writes wait until they are let go. */
class HeldDevice extends MemoryBlockDevice {
  readonly held: (() => void)[] = [];
  private started: (() => void) | undefined;

  override async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    await this.hold();
    return super.read(offsetBytes, lengthBytes);
  }

  override async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    await this.hold();
    await super.write(offsetBytes, bytes);
  }

  async waitFor(requests: number): Promise<void> {
    while (this.held.length < requests) await new Promise<void>((resolve) => (this.started = resolve));
  }

  private hold(): Promise<void> {
    return new Promise((resolve) => {
      this.held.push(resolve);
      this.started?.();
    });
  }
}

describe('handshake', () => {
  it('tells size and flags of an export', async () => {
    await serve(new MemoryBlockDevice(5 * MIB));
    await expect((await client()).choose('disk')).resolves.toEqual({
      sizeBytes: BigInt(5 * MIB),
      flags: 0b1_0110_1101,
    });
    await expect((await client()).choose('same, to read')).resolves.toMatchObject({ flags: 0b1_0000_1111 });
  });

  it('answers an option that it does not know, and goes on', async () => {
    await serve(new MemoryBlockDevice(MIB));
    const raw = await client();
    await raw.greet();
    raw.option(4711, Buffer.from('whatever'));
    await expect(raw.optionReply()).resolves.toMatchObject({ option: 4711, type: 0x80000001 });
    raw.option(2);
    await expect(raw.optionReply()).resolves.toMatchObject({ option: 2, type: 1 });
    await raw.cut();
  });

  it.each([
    ['no data at all', Buffer.alloc(0)],
    ['less than a name length', Buffer.from([0, 0, 0])],
    ['a name longer than the data', Buffer.concat([u32(4000), Buffer.from('disk'), Buffer.alloc(2)])],
    ['a name of 4 GiB', Buffer.concat([u32(0xffffffff), Buffer.alloc(2)])],
    ['more requests than data', Buffer.concat([u32(4), Buffer.from('disk'), Buffer.from([0xff, 0xff])])],
    ['bytes that are too many', Buffer.concat([u32(4), Buffer.from('disk'), Buffer.alloc(3)])],
  ])('calls GO with %s invalid, and goes on', async (_what, data) => {
    await serve(new MemoryBlockDevice(MIB));
    const raw = await client();
    await raw.greet();
    raw.option(7, data);
    await expect(raw.optionReply()).resolves.toMatchObject({ option: 7, type: 0x80000003 });
    raw.option(7, Buffer.concat([u32(4), Buffer.from('disk'), Buffer.alloc(2)]));
    await expect(raw.optionReply()).resolves.toMatchObject({ type: 3 });
    await expect(raw.optionReply()).resolves.toMatchObject({ type: 1 });
    raw.request(READ!, { length: 512 });
    await expect(raw.reply(512)).resolves.toMatchObject({ error: 0 });
  });

  it('cuts who asks for an export that there is not, by the option that has no answer', async () => {
    const server = await serve(new MemoryBlockDevice(MIB));
    const raw = await client();
    await raw.greet();
    raw.option(1, Buffer.from('other'));
    await raw.cut();
    expect(server.statistics.brokenConnections).toBe(1);
  });

  it.each([
    ['unknown client flags', (raw: RawClient) => raw.greet(4)],
    [
      'an option without its magic',
      async (raw: RawClient) => {
        await raw.greet();
        raw.socket.write(Buffer.alloc(16));
      },
    ],
    [
      'an option of 4 GiB',
      async (raw: RawClient) => {
        await raw.greet();
        raw.option(3, Buffer.alloc(0), 0xffffffff);
      },
    ],
    [
      'an end within an option',
      async (raw: RawClient) => {
        await raw.greet();
        raw.option(7, Buffer.from('xx'), 100);
        raw.socket.end();
      },
    ],
    [
      'no end of options',
      async (raw: RawClient) => {
        await raw.greet();
        for (let n = 0; n < 2000; n += 1) raw.option(99);
      },
    ],
  ])('cuts a client that sends %s, and serves the next', async (_what, send) => {
    const server = await serve(new MemoryBlockDevice(MIB));
    const raw = await client();
    await send(raw);
    await raw.cut();
    expect(server.statistics.brokenConnections).toBe(1);
    await expect((await client()).choose('disk')).resolves.toMatchObject({ sizeBytes: BigInt(MIB) });
  });
});

describe('transmission', () => {
  it('reads what was written, at any offset', async () => {
    const device = new MemoryBlockDevice(MIB);
    const server = await serve(device);
    const raw = await clientOf('disk');
    const payload = Buffer.from('a few bytes');
    raw.request(WRITE!, { offset: 4093n, length: payload.length, payload, cookie: 7n, flags: 1 });
    await expect(raw.reply()).resolves.toMatchObject({ error: 0, cookie: 7n });
    raw.request(READ!, { offset: 4092n, length: 13 });
    await expect(raw.reply(13)).resolves.toMatchObject({ data: Buffer.from('\0a few bytes\0') });
    expect(Buffer.from(await device.read(4093, 11)).toString()).toBe('a few bytes');
    raw.request(WRITE_ZEROES!, { offset: 4094n, length: 9, flags: 2 });
    await raw.reply();
    raw.request(READ!, { offset: 4093n, length: 11 });
    await expect(raw.reply(11)).resolves.toMatchObject({ data: Buffer.from('a\0\0\0\0\0\0\0\0\0s') });
    raw.request(FLUSH!);
    await expect(raw.reply()).resolves.toMatchObject({ error: 0 });
    raw.request(TRIM!, { length: 4096 });
    await expect(raw.reply()).resolves.toMatchObject({ error: 0 });
    expect(server.statistics).toMatchObject({
      reads: 2,
      readBytes: 24,
      writes: 1,
      writtenBytes: 11,
      zeroedBytes: 9,
      flushes: 1,
      trims: 1,
    });
  });

  it.each([
    ['a read beyond the end', READ!, { offset: BigInt(MIB - 1), length: 2 }, EINVAL],
    ['a read at an offset of 64 bits', READ!, { offset: 0xffff_ffff_ffff_ffffn, length: 512 }, EINVAL],
    ['a read of 4 GiB', READ!, { length: 0xffffffff }, EINVAL],
    ['a write beyond the end', WRITE!, { offset: BigInt(MIB), length: 1, payload: Buffer.alloc(1) }, ENOSPC],
    ['zeroes beyond the end', WRITE_ZEROES!, { length: 0xffffffff }, ENOSPC],
    ['a trim beyond the end', TRIM!, { length: MIB + 1 }, EINVAL],
    ['a flush of a range', FLUSH!, { length: 512 }, EINVAL],
    ['a flag that it does not know', READ!, { length: 512, flags: 4 }, EINVAL],
    ['a flag of another command', WRITE!, { length: 1, payload: Buffer.alloc(1), flags: 2 }, EINVAL],
    ['a command that it does not offer', CACHE!, { length: 512 }, EINVAL],
    ['a command that there is not', 999, {}, EINVAL],
  ])('refuses %s, and goes on', async (_what, command, request, error) => {
    await serve(new MemoryBlockDevice(MIB));
    const raw = await clientOf('disk');
    raw.request(command, { ...request, cookie: 0xffff_ffff_ffff_ffffn });
    await expect(raw.reply()).resolves.toMatchObject({ error, cookie: 0xffff_ffff_ffff_ffffn });
    raw.request(READ!, { length: 512 });
    await expect(raw.reply(512)).resolves.toMatchObject({ error: 0 });
  });

  it('does not write to an export that is only read', async () => {
    const device = new MemoryBlockDevice(MIB);
    await serve(device);
    const raw = await clientOf('same, to read');
    raw.request(WRITE!, { length: 4, payload: Buffer.from('oops') });
    await expect(raw.reply()).resolves.toMatchObject({ error: EPERM });
    raw.request(WRITE_ZEROES!, { length: 4 });
    await expect(raw.reply()).resolves.toMatchObject({ error: EPERM });
    raw.request(TRIM!, { length: 4 });
    await expect(raw.reply()).resolves.toMatchObject({ error: EPERM });
    expect(Buffer.from(await device.read(0, 4))).toEqual(Buffer.alloc(4));
  });

  it('answers many requests in the order in which they are done', async () => {
    const device = new HeldDevice(MIB);
    await serve(device);
    const raw = await clientOf('disk');
    for (const cookie of [1n, 2n, 3n]) raw.request(READ!, { length: 512, cookie });
    await device.waitFor(3);
    device.held[2]!();
    await expect(raw.reply(512)).resolves.toMatchObject({ cookie: 3n });
    device.held[0]!();
    await expect(raw.reply(512)).resolves.toMatchObject({ cookie: 1n });
    device.held[1]!();
    await expect(raw.reply(512)).resolves.toMatchObject({ cookie: 2n });
  });

  it('fulfils what is under way before it disconnects', async () => {
    const device = new HeldDevice(MIB);
    await serve(device);
    const raw = await clientOf('disk');
    raw.request(WRITE!, { length: 4, payload: Buffer.from('last'), cookie: 9n });
    raw.request(DISC!);
    raw.socket.end();
    await device.waitFor(1);
    device.held[0]!();
    await expect(raw.reply()).resolves.toMatchObject({ error: 0, cookie: 9n });
    await raw.cut();
  });

  it.each([
    ['a request without its magic', (raw: RawClient) => raw.request(READ!, { magic: 0x12345678 })],
    ['a write of 4 GiB', (raw: RawClient) => raw.request(WRITE!, { length: 0xffffffff })],
    [
      'an end within a write',
      (raw: RawClient) => {
        raw.request(WRITE!, { length: 8192, payload: Buffer.alloc(100) });
        raw.socket.end();
      },
    ],
  ])('cuts a client that sends %s, and serves the next', async (_what, send) => {
    const server = await serve(new MemoryBlockDevice(MIB));
    const raw = await clientOf('disk');
    send(raw);
    await raw.cut();
    expect(server.statistics).toMatchObject({ writes: 0, brokenConnections: 1 });
    await expect((await client()).choose('disk')).resolves.toMatchObject({ sizeBytes: BigInt(MIB) });
  });

  it('holds no more than its budget for a client that never reads the answers', async () => {
    let asked = 0;
    const device = new MemoryBlockDevice(8 * MIB);
    const read = device.read.bind(device);
    device.read = (offset, length) => {
      asked += 1;
      return read(offset, length);
    };
    await serve(device, 4 * MIB);
    const raw = await clientOf('disk');
    raw.socket.pause();
    for (let cookie = 0n; cookie < 100n; cookie += 1n) raw.request(READ!, { length: MIB, cookie });
    const other = await clientOf('disk');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(asked).toBeLessThanOrEqual(5);
    raw.socket.destroy();
    other.request(READ!, { length: 4096 });
    await expect(other.reply(4096)).resolves.toMatchObject({ error: 0 });
  });
});

describe('devices', () => {
  it('tells the client EIO, keeps the cause and goes on', async () => {
    const device = new MemoryBlockDevice(MIB);
    const cause = new Error('the snapshot is gone');
    const broken: BlockDevice = {
      sizeBytes: MIB,
      read: (offset, length) => (offset === 0 ? Promise.reject(cause) : device.read(offset, length)),
      write: () => Promise.reject(new Error('a later one')),
    };
    const server = await serve(broken);
    const raw = await clientOf('disk');
    raw.request(READ!, { length: 512 });
    await expect(raw.reply()).resolves.toMatchObject({ error: EIO });
    raw.request(WRITE_ZEROES!, { length: 512 });
    await expect(raw.reply()).resolves.toMatchObject({ error: EIO });
    raw.request(READ!, { offset: 512n, length: 512 });
    await expect(raw.reply(512)).resolves.toMatchObject({ error: 0 });
    expect(server.firstFailure).toEqual({
      exportName: 'disk',
      request: 'read',
      offsetBytes: 0,
      lengthBytes: 512,
      cause,
    });
  });

  it('takes a device that answers with too little for one that failed', async () => {
    const device: BlockDevice = {
      sizeBytes: MIB,
      read: async () => new Uint8Array(3),
      write: async () => undefined,
    };
    const server = await serve(device);
    const raw = await clientOf('disk');
    raw.request(READ!, { length: 512 });
    await expect(raw.reply()).resolves.toMatchObject({ error: EIO });
    expect(server.firstFailure?.cause).toMatchObject({ message: 'the device gave 3 bytes for 512' });
  });

  it('are at rest when the server is closed', async () => {
    const device = new HeldDevice(MIB);
    const server = await serve(device);
    const raw = await clientOf('disk');
    raw.request(WRITE!, { length: 4, payload: Buffer.from('late') });
    await device.waitFor(1);
    let closed = false;
    const closing = server.close().then(() => (closed = true));
    await raw.cut();
    expect(closed).toBe(false);
    device.held[0]!();
    await closing;
    await expect(RawClient.connect(path.join(folder, `${count}.sock`))).rejects.toThrow('ENOENT');
  });
});

it('says why it cannot listen', async () => {
  const options = { socketPath: path.join(folder, 'x'.repeat(200)), exports: new Map<string, NbdExport>() };
  await expect(NbdServer.listen(options)).rejects.toThrow(NbdListenError);
});
