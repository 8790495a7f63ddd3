import { readU16BE, readU32BE } from '../../core/bytes/big-endian';
import type { ByteStream } from './byte-stream';
import { NbdProtocolError } from './nbd-errors';
import type { NbdExport } from './nbd-export';
import {
  HandshakeFlag,
  Info,
  MAX_PAYLOAD_BYTES,
  MIN_BLOCK_BYTES,
  NBD_MAGIC,
  Option,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  OptionReply,
  PREFERRED_BLOCK_BYTES,
  TransmissionFlag,
} from './nbd-protocol';

/** Names have at most 4096 bytes; the rest is room for requests of information. */
const MAX_OPTION_BYTES = 65_536;
/** A client that haggles longer does nothing else. */
const MAX_OPTIONS = 1024;
/** Follow the flags of EXPORT_NAME unless the client does without ("Newstyle negotiation"). */
const RESERVED_BYTES = 124;

export interface ChosenExport {
  readonly name: string;
  readonly export: NbdExport;
}

/**
 * The fixed newstyle handshake.
 * @returns what the client chose; undefined when it went away without a choice
 * @throws NbdProtocolError
 */
export async function negotiate(
  stream: ByteStream,
  exports: ReadonlyMap<string, NbdExport>,
): Promise<ChosenExport | undefined> {
  const greeting = Buffer.alloc(18);
  greeting.writeBigUInt64BE(NBD_MAGIC, 0);
  greeting.writeBigUInt64BE(OPTION_MAGIC, 8);
  greeting.writeUInt16BE(HandshakeFlag.FIXED_NEWSTYLE | HandshakeFlag.NO_ZEROES, 16);
  await stream.send(greeting);
  const answer = await stream.take(4);
  if (answer === undefined) return undefined;
  const clientFlags = readU32BE(answer, 0);
  if ((clientFlags & ~(HandshakeFlag.FIXED_NEWSTYLE | HandshakeFlag.NO_ZEROES)) !== 0)
    throw new NbdProtocolError(`unknown client flags ${clientFlags}`);

  for (let options = 0; options < MAX_OPTIONS; options += 1) {
    const header = await stream.take(16);
    if (header === undefined) return undefined;
    if (header.readBigUInt64BE(0) !== OPTION_MAGIC) throw new NbdProtocolError('an option without its magic');
    const option = readU32BE(header, 8);
    const length = readU32BE(header, 12);
    if (length > MAX_OPTION_BYTES) throw new NbdProtocolError(`an option of ${length} bytes`);
    const data = await stream.takeRest(length);
    switch (option) {
      case Option.EXPORT_NAME: {
        const name = data.toString();
        const found = exports.get(name);
        if (found === undefined) throw new NbdProtocolError('an export was chosen that there is not');
        const zeroes = (clientFlags & HandshakeFlag.NO_ZEROES) === 0 ? RESERVED_BYTES : 0;
        await stream.send(exportDescription(found), Buffer.alloc(zeroes));
        return { name, export: found };
      }
      case Option.ABORT:
        await reply(stream, option, OptionReply.ACK);
        return undefined;
      case Option.LIST:
        await list(stream, data, exports);
        break;
      case Option.INFO:
      case Option.GO: {
        const chosen = await inform(stream, option, data, exports);
        if (option === Option.GO && chosen !== undefined) return chosen;
        break;
      }
      default:
        await reply(stream, option, OptionReply.ERR_UNSUPPORTED);
    }
  }
  throw new NbdProtocolError(`more than ${MAX_OPTIONS} options`);
}

async function list(
  stream: ByteStream,
  data: Buffer,
  exports: ReadonlyMap<string, NbdExport>,
): Promise<void> {
  if (data.length > 0) return reply(stream, Option.LIST, OptionReply.ERR_INVALID);
  for (const name of exports.keys()) {
    const text = Buffer.from(name);
    await reply(stream, Option.LIST, OptionReply.SERVER, u32(text.length), text);
  }
  await reply(stream, Option.LIST, OptionReply.ACK);
}

/** INFO and GO: name length, name, count of requests, requests. @returns the export that was named, if there is one */
async function inform(
  stream: ByteStream,
  option: number,
  data: Buffer,
  exports: ReadonlyMap<string, NbdExport>,
): Promise<ChosenExport | undefined> {
  const nameLength = data.length < 6 ? data.length : readU32BE(data, 0);
  const requests = nameLength > data.length - 6 ? -1 : readU16BE(data, 4 + nameLength);
  if (requests < 0 || data.length !== 6 + nameLength + 2 * requests) {
    await reply(stream, option, OptionReply.ERR_INVALID);
    return undefined;
  }
  const nameBytes = data.subarray(4, 4 + nameLength);
  const name = nameBytes.toString();
  const found = exports.get(name);
  if (found === undefined) {
    await reply(stream, option, OptionReply.ERR_UNKNOWN);
    return undefined;
  }
  await reply(stream, option, OptionReply.INFO, u16(Info.EXPORT), exportDescription(found));
  const wanted = new Set<number>();
  for (let n = 0; n < requests; n += 1) wanted.add(readU16BE(data, 6 + nameLength + 2 * n));
  if (wanted.has(Info.NAME)) await reply(stream, option, OptionReply.INFO, u16(Info.NAME), nameBytes);
  if (wanted.has(Info.BLOCK_SIZE)) {
    const sizes = [MIN_BLOCK_BYTES, PREFERRED_BLOCK_BYTES, MAX_PAYLOAD_BYTES].map(u32);
    await reply(stream, option, OptionReply.INFO, u16(Info.BLOCK_SIZE), ...sizes);
  }
  await reply(stream, option, OptionReply.ACK);
  return { name, export: found };
}

/** Size and transmission flags. */
function exportDescription({ access, device }: NbdExport): Buffer {
  const description = Buffer.alloc(10);
  description.writeBigUInt64BE(BigInt(device.sizeBytes), 0);
  const { HAS_FLAGS, SEND_FLUSH, SEND_FUA, SEND_TRIM, SEND_WRITE_ZEROES, CAN_MULTI_CONN, READ_ONLY } =
    TransmissionFlag;
  const writing = SEND_FLUSH | SEND_FUA | SEND_TRIM | SEND_WRITE_ZEROES;
  description.writeUInt16BE(
    HAS_FLAGS | CAN_MULTI_CONN | (access === 'read-write' ? writing : READ_ONLY | SEND_FLUSH | SEND_FUA),
    8,
  );
  return description;
}

function reply(
  stream: ByteStream,
  option: number,
  type: number,
  ...parts: readonly Uint8Array[]
): Promise<void> {
  const data = Buffer.concat(parts);
  const header = Buffer.alloc(20);
  header.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(type, 12);
  header.writeUInt32BE(data.length, 16);
  return stream.send(header, data);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
