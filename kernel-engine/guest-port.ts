import { createServer, type Server, type Socket } from 'node:net';
import { KernelEngineError } from './errors';

/** Longer lines are no answer of ours: the guest may have been taken over by the image. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface GuestMessage {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array;
}

/** Our side of the virtio port: a line of JSON a message, and after it as many bytes as its "bytes" says. */
export class GuestPort {
  private socket: Socket | undefined;
  private readonly chunks: Buffer[] = [];
  private buffered = 0;
  private wake: (() => void) | undefined;
  private broken: Error | undefined;

  private constructor(private readonly server: Server) {
    server.maxConnections = 1;
    server.on('connection', (socket) => {
      this.socket = socket;
      this.wake?.();
      socket.on('data', (chunk: Buffer) => {
        this.chunks.push(chunk);
        this.buffered += chunk.length;
        if (this.buffered > MAX_LINE_BYTES) socket.pause();
        this.wake?.();
      });
      // The end of the machine itself is what is reported.
      socket.on('error', () => undefined);
    });
  }

  static async listen(socketPath: string): Promise<GuestPort> {
    const server = createServer();
    const port = new GuestPort(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, resolve);
    });
    return port;
  }

  /** Lets a receive() that waits, and every one after it, throw this. */
  fail(error: Error): void {
    this.broken ??= error;
    this.wake?.();
  }

  /** Resolves when the machine has its end of the port. */
  async connected(): Promise<void> {
    while (this.socket === undefined) await this.more();
  }

  /** Resolves when there is room for more. */
  async send(message: object, payload?: Uint8Array): Promise<void> {
    if (this.broken !== undefined) throw this.broken;
    const { socket } = this;
    if (socket === undefined) throw new KernelEngineError('the machine has not opened its port');
    const line = payload === undefined ? message : { ...message, bytes: payload.length };
    let hasRoom = socket.write(`${JSON.stringify(line)}\n`);
    if (payload !== undefined && payload.length > 0) hasRoom = socket.write(payload);
    if (hasRoom || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        socket.off('drain', go);
        socket.off('close', go);
        resolve();
      };
      socket.on('drain', go);
      socket.on('close', go);
    });
  }

  /** The next message. @throws KernelEngineError for what is none, and what fail() was given */
  async receive(): Promise<GuestMessage> {
    const line = await this.takeLine();
    const fields = parsed(line);
    const { bytes = 0 } = fields;
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0 || bytes > MAX_PAYLOAD_BYTES) {
      throw nonsense(line);
    }
    return { fields, payload: await this.take(bytes) };
  }

  async close(): Promise<void> {
    this.socket?.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async takeLine(): Promise<Buffer> {
    let searched = 0;
    for (;;) {
      let before = 0;
      for (const chunk of this.chunks) {
        if (before + chunk.length > searched) {
          const at = chunk.indexOf(NEWLINE, Math.max(0, searched - before));
          if (at >= 0) {
            const line = this.cut(before + at + 1);
            return line.subarray(0, -1);
          }
        }
        before += chunk.length;
      }
      searched = before;
      if (this.buffered > MAX_LINE_BYTES) throw nonsense(this.cut(200));
      await this.more();
    }
  }

  private async take(lengthBytes: number): Promise<Buffer> {
    while (this.buffered < lengthBytes) await this.more();
    return this.cut(lengthBytes);
  }

  private cut(lengthBytes: number): Buffer {
    const parts: Buffer[] = [];
    let missing = lengthBytes;
    while (missing > 0) {
      const [chunk] = this.chunks;
      if (chunk === undefined) break;
      if (chunk.length <= missing) {
        parts.push(chunk);
        this.chunks.shift();
        missing -= chunk.length;
      } else {
        parts.push(chunk.subarray(0, missing));
        this.chunks[0] = chunk.subarray(missing);
        missing = 0;
      }
    }
    this.buffered -= lengthBytes - missing;
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  private async more(): Promise<void> {
    if (this.broken !== undefined) throw this.broken;
    this.socket?.resume();
    await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
  }
}

function parsed(line: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Said below, as for JSON of another kind.
  }
  throw nonsense(line);
}

function nonsense(line: Buffer): KernelEngineError {
  const shown = JSON.stringify(line.toString('latin1').slice(0, 200));
  return new KernelEngineError(`it does not keep to the protocol: ${shown}`);
}
