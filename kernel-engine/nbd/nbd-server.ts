import { createServer, type Server, type Socket } from 'node:net';
import { ByteStream } from './byte-stream';
import { negotiate } from './handshake';
import { NbdListenError, NbdProtocolError } from './nbd-errors';
import type { DeviceFailure, NbdExport, NbdStatistics } from './nbd-export';
import { RequestBudget } from './request-budget';
import { transmit, type Served } from './transmission';

const DEFAULT_IN_FLIGHT_BYTES = 64 * 1024 * 1024;
const MAX_CONNECTIONS = 64;

export interface NbdServerOptions {
  /** Of the unix socket, which is made, and removed by close(). At most 107 bytes (unix(7), sun_path). */
  readonly socketPath: string;
  readonly exports: ReadonlyMap<string, NbdExport>;
  /** Bytes of requests that are worked on at the same time, over all connections; more have to wait. */
  readonly inFlightBytes?: number;
}

/**
 * Serves block devices over NBD on a unix socket: to QEMU, and to any other client of the baseline protocol. What a
 * client wrote, and was told is written, has reached the device.
 */
export class NbdServer {
  private readonly connections = new Map<Socket, Promise<void>>();
  private readonly unexpected: unknown[] = [];
  private readonly served: Served;
  private failure: DeviceFailure | undefined;

  private constructor(
    private readonly server: Server,
    private readonly options: NbdServerOptions,
  ) {
    this.served = {
      budget: new RequestBudget(options.inFlightBytes ?? DEFAULT_IN_FLIGHT_BYTES),
      statistics: {
        connections: 0,
        reads: 0,
        readBytes: 0,
        writes: 0,
        writtenBytes: 0,
        zeroedBytes: 0,
        flushes: 0,
        trims: 0,
        brokenConnections: 0,
      },
      failed: (failure) => (this.failure ??= failure),
    };
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => this.accept(socket));
  }

  /** @throws NbdListenError */
  static async listen(options: NbdServerOptions): Promise<NbdServer> {
    // A client may send all it has to say and then wait for the answers.
    const server = createServer({ allowHalfOpen: true });
    const made = new NbdServer(server, options);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new NbdListenError(options.socketPath, cause)));
      server.listen(options.socketPath, resolve);
    });
    return made;
  }

  /** What QEMU, qemu-img and libnbd take (NBD's doc/uri.md): `nbd+unix:///name?socket=path`. */
  url(exportName: string): string {
    return `nbd+unix:///${encodeURIComponent(exportName)}?socket=${encodeURIComponent(this.options.socketPath)}`;
  }

  get statistics(): NbdStatistics {
    return this.served.statistics;
  }

  /** The first request that a device failed, if any did. */
  get firstFailure(): DeviceFailure | undefined {
    return this.failure;
  }

  /** Cuts all connections and resolves when no device is being read or written any more. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const serving = [...this.connections.values()];
    for (const socket of this.connections.keys()) socket.destroy();
    await Promise.all(serving);
    await closed;
    if (this.unexpected.length > 0) throw this.unexpected[0];
  }

  private accept(socket: Socket): void {
    this.served.statistics.connections += 1;
    const serving = this.serve(new ByteStream(socket))
      .catch((error: unknown) => {
        this.served.statistics.brokenConnections += 1;
        if (!(error instanceof NbdProtocolError)) this.unexpected.push(error);
      })
      .finally(() => {
        socket.destroySoon();
        this.connections.delete(socket);
      });
    this.connections.set(socket, serving);
  }

  private async serve(stream: ByteStream): Promise<void> {
    const chosen = await negotiate(stream, this.options.exports);
    if (chosen !== undefined) await transmit(stream, chosen, this.served);
  }
}
