import { connect, type Socket } from 'node:net';

/** Speaks NBD byte by byte, so that it can say what no proper client says. */
export class RawClient {
  private received: Buffer = Buffer.alloc(0);
  private wake: (() => void) | undefined;
  private readonly gone: Promise<void>;
  private over = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake?.();
    });
    socket.on('error', () => undefined);
    this.gone = new Promise((resolve) =>
      socket.on('close', () => {
        this.over = true;
        this.wake?.();
        resolve();
      }),
    );
  }

  static connect(socketPath: string): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(socketPath, () => resolve(new RawClient(socket)));
      socket.once('error', reject);
    });
  }

  /** Through the handshake into transmission by EXPORT_NAME. @returns size and flags of the export */
  async choose(name: string): Promise<{ sizeBytes: bigint; flags: number }> {
    await this.greet();
    this.option(1, Buffer.from(name));
    const answer = await this.take(10);
    return { sizeBytes: answer.readBigUInt64BE(0), flags: answer.readUInt16BE(8) };
  }

  async greet(flags = 3): Promise<void> {
    await this.take(18);
    this.socket.write(u32(flags));
  }

  option(option: number, data: Buffer = Buffer.alloc(0), length = data.length): void {
    this.socket.write(Buffer.concat([Buffer.from('IHAVEOPT'), u32(option), u32(length), data]));
  }

  async optionReply(): Promise<{ option: number; type: number; data: Buffer }> {
    const header = await this.take(20);
    const data = await this.take(header.readUInt32BE(16));
    return { option: header.readUInt32BE(8), type: header.readUInt32BE(12), data };
  }

  request(
    command: number,
    { offset = 0n, length = 0, flags = 0, cookie = 1n, payload = Buffer.alloc(0), magic = 0x25609513 } = {},
  ): void {
    const header = Buffer.alloc(28);
    header.writeUInt32BE(magic, 0);
    header.writeUInt16BE(flags, 4);
    header.writeUInt16BE(command, 6);
    header.writeBigUInt64BE(cookie, 8);
    header.writeBigUInt64BE(offset, 16);
    header.writeUInt32BE(length, 24);
    this.socket.write(Buffer.concat([header, payload]));
  }

  /** @param dataBytes what follows the header when there is no error */
  async reply(dataBytes = 0): Promise<{ error: number; cookie: bigint; data: Buffer }> {
    const header = await this.take(16);
    if (header.readUInt32BE(0) !== 0x67446698) throw new Error('a reply without its magic');
    const error = header.readUInt32BE(4);
    const data = error === 0 ? await this.take(dataBytes) : Buffer.alloc(0);
    return { error, cookie: header.readBigUInt64BE(8), data };
  }

  /** Resolves when the server has cut the connection. */
  async cut(): Promise<void> {
    await this.gone;
  }

  private async take(length: number): Promise<Buffer> {
    while (this.received.length < length) {
      if (this.over) throw new Error('the server closed the connection');
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    const taken = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return taken;
  }
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
