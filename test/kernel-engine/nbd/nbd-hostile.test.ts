import path from 'node:path';
import fc from 'fast-check';
import type { BlockDevice } from '../../../core/block-device/block-device';
import { assertWithin } from '../../../core/block-device/device-errors';
import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import { NbdServer } from '../../../kernel-engine/nbd/nbd-server';
import { temporaryFolder } from '../../support/temporary-folder';
import { RawClient } from './raw-client';

const SIZE_BYTES = 100_000;
const RUNS = Number(process.env['RUNS'] ?? 300);

const socketPath = path.join(temporaryFolder('nbd-hostile'), 'nbd.sock');
const content = new MemoryBlockDevice(SIZE_BYTES);
/** Whatever a client asks for, a device is only asked for what it has. */
const device: BlockDevice = {
  sizeBytes: SIZE_BYTES,
  read(offset, length) {
    assertWithin(offset, length, SIZE_BYTES);
    return content.read(offset, length);
  },
  write(offset, bytes) {
    assertWithin(offset, bytes.length, SIZE_BYTES);
    return content.write(offset, bytes);
  },
};
let server: NbdServer;

beforeAll(async () => {
  server = await NbdServer.listen({
    socketPath,
    exports: new Map([['disk', { access: 'read-write', device }]]),
    inFlightBytes: 1_000_000,
  });
});
afterAll(() => server.close());

/** One that sends these bytes at some point and then hangs up; the server must let it go, and serve who comes next. */
async function survives(chosen: boolean, bytes: Uint8Array): Promise<void> {
  const hostile = await RawClient.connect(socketPath);
  if (chosen) await hostile.choose('disk');
  hostile.socket.end(bytes);
  await hostile.cut();
  const next = await RawClient.connect(socketPath);
  await next.choose('disk');
  next.request(0, { length: 512 });
  expect((await next.reply(512)).error).toBe(0);
  next.request(2);
  await next.cut();
  expect(server.firstFailure).toBeUndefined();
}

const integer = (bits: 16 | 32) =>
  fc.oneof(fc.nat({ max: 8 }), fc.nat({ max: SIZE_BYTES }), fc.nat({ max: 2 ** bits - 1 }));
const offset = fc.oneof(
  fc.bigInt({ min: 0n, max: BigInt(SIZE_BYTES) }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

const request = fc
  .record({
    flags: fc.nat({ max: 5 }),
    command: fc.oneof(fc.nat({ max: 7 }), integer(16)),
    offset,
    length: integer(32),
    payload: fc.uint8Array({ maxLength: 4000 }),
  })
  .map(({ flags, command, offset: at, length, payload }) => {
    const header = Buffer.alloc(28);
    header.writeUInt32BE(0x25609513, 0);
    header.writeUInt16BE(flags, 4);
    header.writeUInt16BE(command & 0xffff, 6);
    header.writeBigUInt64BE(at, 16);
    // As many bytes as it says, or as it pleases.
    const says = command === 1 && length % 2 === 0 ? payload.length : length;
    header.writeUInt32BE(says, 24);
    return Buffer.concat([header, command === 1 ? payload : Buffer.alloc(0)]);
  });

const option = fc
  .record({ option: integer(32), says: fc.option(integer(32)), data: fc.uint8Array({ maxLength: 60 }) })
  .map(({ option: number, says, data }) => {
    const header = Buffer.from('IHAVEOPT\0\0\0\0\0\0\0\0');
    header.writeUInt32BE(number, 8);
    header.writeUInt32BE(says ?? data.length, 12);
    return Buffer.concat([header, data]);
  });

test('a client may send any requests', () =>
  fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 20 }), (requests) =>
      survives(true, Buffer.concat(requests)),
    ),
    { numRuns: RUNS },
  ));

test('a client may send any options', () =>
  fc.assert(
    fc.asyncProperty(fc.array(option, { maxLength: 10 }), (options) =>
      survives(false, Buffer.concat([Buffer.from([0, 0, 0, 3]), ...options])),
    ),
    { numRuns: RUNS },
  ));

test('a client may send anything', () =>
  fc.assert(
    fc.asyncProperty(fc.boolean(), fc.uint8Array({ maxLength: 2000 }), (chosen, bytes) =>
      survives(chosen, bytes),
    ),
    { numRuns: RUNS },
  ));
