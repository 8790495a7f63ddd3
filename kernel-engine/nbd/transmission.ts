import { readU16BE, readU32BE } from '../../core/bytes/big-endian';
import type { BlockDevice } from '../../core/block-device/block-device';
import type { ByteStream } from './byte-stream';
import type { ChosenExport } from './handshake';
import { NbdProtocolError } from './nbd-errors';
import type { DeviceFailure, NbdStatistics } from './nbd-export';
import {
  Command,
  CommandFlag,
  MAX_PAYLOAD_BYTES,
  NbdErrno,
  REQUEST_BYTES,
  REQUEST_MAGIC,
  SIMPLE_REPLY_MAGIC,
} from './nbd-protocol';
import type { RequestBudget } from './request-budget';

/** What all connections of a server have in common. */
export interface Served {
  readonly budget: RequestBudget;
  readonly statistics: { -readonly [Key in keyof NbdStatistics]: NbdStatistics[Key] };
  failed(failure: DeviceFailure): void;
}

interface Request {
  readonly command: number;
  readonly flags: number;
  readonly cookie: Buffer;
  readonly offset: bigint;
  readonly length: number;
}

interface Answer {
  readonly error: number;
  readonly data?: Uint8Array;
}

/** What a request costs beside its payload, so that many small ones are bounded too. */
const REQUEST_COST_BYTES = 1024;
/** Written again and again for WRITE_ZEROES; nobody may change it (BlockDevice.write). */
const ZEROES = new Uint8Array(1024 * 1024);
const NOTHING = new Uint8Array(0);

/**
 * Fulfils requests, many at a time and answered in the order in which they are done, until the client disconnects.
 * Resolves when the device is no longer in use.
 * @throws NbdProtocolError
 */
export async function transmit(stream: ByteStream, chosen: ChosenExport, served: Served): Promise<void> {
  const underWay = new Set<Promise<void>>();
  try {
    for (;;) {
      const header = await stream.take(REQUEST_BYTES);
      if (header === undefined) return;
      const request = parseRequest(header);
      if (request.command === Command.DISCONNECT) return;
      const payloadBytes = request.command === Command.WRITE ? request.length : 0;
      if (payloadBytes > MAX_PAYLOAD_BYTES) throw new NbdProtocolError(`a write of ${payloadBytes} bytes`);
      const release = await served.budget.acquire(REQUEST_COST_BYTES + heldBytes(request));
      let answered: Promise<void>;
      try {
        // A copy: what the device keeps must not hold on to the socket's larger buffers.
        const payload = payloadBytes === 0 ? NOTHING : new Uint8Array(await stream.takeRest(payloadBytes));
        answered = answer(stream, request, payload, chosen, served);
      } catch (error) {
        release();
        throw error;
      }
      const done = answered.finally(() => {
        release();
        underWay.delete(done);
      });
      underWay.add(done);
    }
  } finally {
    await Promise.all(underWay);
  }
}

/** Bytes of payload in either direction. */
function heldBytes({ command, length }: Request): number {
  return command === Command.READ || command === Command.WRITE ? Math.min(length, MAX_PAYLOAD_BYTES) : 0;
}

function parseRequest(header: Buffer): Request {
  if (readU32BE(header, 0) !== REQUEST_MAGIC) throw new NbdProtocolError('a request without its magic');
  return {
    flags: readU16BE(header, 4),
    command: readU16BE(header, 6),
    cookie: header.subarray(8, 16),
    offset: header.readBigUInt64BE(16),
    length: readU32BE(header, 24),
  };
}

async function answer(
  stream: ByteStream,
  request: Request,
  payload: Uint8Array,
  chosen: ChosenExport,
  served: Served,
): Promise<void> {
  const { error, data } = await fulfil(request, payload, chosen, served);
  const header = Buffer.alloc(16);
  header.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  header.writeUInt32BE(error, 4);
  request.cookie.copy(header, 8);
  await (data === undefined ? stream.send(header) : stream.send(header, data));
}

async function fulfil(
  request: Request,
  payload: Uint8Array,
  { name, export: { access, device } }: ChosenExport,
  served: Served,
): Promise<Answer> {
  const { command, length } = request;
  const refusal = refuse(request, access === 'read-write', device.sizeBytes);
  if (refusal !== NbdErrno.OK) return { error: refusal };
  const offset = Number(request.offset);
  const { statistics } = served;
  try {
    switch (command) {
      case Command.READ: {
        const data = await device.read(offset, length);
        if (data.length !== length) throw new Error(`the device gave ${data.length} bytes for ${length}`);
        statistics.reads += 1;
        statistics.readBytes += length;
        return { error: NbdErrno.OK, data };
      }
      case Command.WRITE:
        await (device as BlockDevice).write(offset, payload);
        statistics.writes += 1;
        statistics.writtenBytes += length;
        break;
      case Command.WRITE_ZEROES:
        await writeZeroes(device as BlockDevice, offset, length);
        statistics.zeroedBytes += length;
        break;
      // A device has no cache of its own: what is written is written (also FUA).
      case Command.FLUSH:
        statistics.flushes += 1;
        break;
      // A hint, of no use to an overlay: the block stays as it is, and costs nothing that way.
      case Command.TRIM:
        statistics.trims += 1;
    }
    return { error: NbdErrno.OK };
  } catch (cause) {
    served.failed({
      exportName: name,
      request: command === Command.READ ? 'read' : command === Command.WRITE ? 'write' : 'write-zeroes',
      offsetBytes: offset,
      lengthBytes: length,
      cause,
    });
    return { error: NbdErrno.EIO };
  }
}

/** Which error a request gets without the device being asked ("Error values"). */
function refuse({ command, flags, offset, length }: Request, writable: boolean, sizeBytes: number): number {
  const writes = command === Command.WRITE || command === Command.WRITE_ZEROES || command === Command.TRIM;
  if (!writes && command !== Command.READ && command !== Command.FLUSH) return NbdErrno.EINVAL;
  const known = CommandFlag.FUA | (command === Command.WRITE_ZEROES ? CommandFlag.NO_HOLE : 0);
  if ((flags & ~known) !== 0) return NbdErrno.EINVAL;
  if (command === Command.FLUSH) return offset === 0n && length === 0 ? NbdErrno.OK : NbdErrno.EINVAL;
  if (writes && !writable) return NbdErrno.EPERM;
  if (command === Command.READ && length > MAX_PAYLOAD_BYTES) return NbdErrno.EINVAL;
  if (offset + BigInt(length) <= BigInt(sizeBytes)) return NbdErrno.OK;
  return command === Command.WRITE || command === Command.WRITE_ZEROES ? NbdErrno.ENOSPC : NbdErrno.EINVAL;
}

async function writeZeroes(device: BlockDevice, offset: number, length: number): Promise<void> {
  for (let done = 0; done < length; done += ZEROES.length) {
    await device.write(offset + done, ZEROES.subarray(0, Math.min(ZEROES.length, length - done)));
  }
}
