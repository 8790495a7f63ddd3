import type { Socket } from 'node:net';
import { NbdProtocolError } from './nbd-errors';

const NOTHING = Buffer.alloc(0);

/** A socket as messages are read from it: so many bytes at a time, no more than asked for being taken from the kernel for long. */
export class ByteStream {
  private wake: (() => void) | undefined;
  private ended = false;

  constructor(private readonly socket: Socket) {
    const wake = (): void => this.wake?.();
    const end = (): void => {
      this.ended = true;
      wake();
    };
    socket.on('readable', wake);
    socket.on('end', end);
    socket.on('close', end);
    // A reset connection is one that has ended: nothing of its own would be said by the error.
    socket.on('error', end);
  }

  /** False when the client is gone. */
  get open(): boolean {
    return !this.ended && !this.socket.destroyed;
  }

  /**
   * The next bytes; undefined when the client ended the connection before the first of them.
   * @throws NbdProtocolError when it ended in their midst
   */
  async take(lengthBytes: number): Promise<Buffer | undefined> {
    if (lengthBytes === 0) return NOTHING;
    for (;;) {
      const taken = this.socket.read(lengthBytes) as Buffer | null;
      if (taken !== null && taken.length === lengthBytes) return taken;
      if (taken !== null) throw new NbdProtocolError('the connection ended within a message');
      if (!this.open) return undefined;
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = undefined;
    }
  }

  /** As take(), where the message has begun. @throws NbdProtocolError when it does not go on */
  async takeRest(lengthBytes: number): Promise<Buffer> {
    const taken = await this.take(lengthBytes);
    if (taken === undefined) throw new NbdProtocolError('the connection ended within a message');
    return taken;
  }

  /** Resolves when the bytes are with the kernel, or the client is gone. */
  send(...parts: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve) => {
      this.socket.cork();
      for (const part of parts.slice(0, -1)) this.socket.write(part);
      this.socket.write(parts.at(-1) ?? NOTHING, () => resolve());
      this.socket.uncork();
    });
  }
}
