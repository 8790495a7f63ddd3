import type { DeviceFailure, NbdExport, NbdStatistics } from './nbd-export';

export interface NbdServerOptions {
  /** Of the unix socket, which is made, and removed by close(). At most 107 bytes (unix(7), sun_path). */
  readonly socketPath: string;
  readonly exports: ReadonlyMap<string, NbdExport>;
  /** Bytes of requests that are worked on at the same time, over all connections; more have to wait. */
  readonly inFlightBytes?: number;
}

/** Serves block devices over NBD on a unix socket. */
export interface NbdServer {
  /** What QEMU, qemu-img and libnbd take: `nbd+unix:///name?socket=path`. */
  url(exportName: string): string;
  readonly statistics: NbdStatistics;
  /** The first request that a device failed, if any did. */
  readonly firstFailure: DeviceFailure | undefined;
  /** Cuts all connections and resolves when no device is being read or written any more. */
  close(): Promise<void>;
}
