import type { BlockDevice, BlockReader } from '../../core/block-device/block-device';

/** One disk as it is served: by name, and for reading alone or for writing too. */
export type NbdExport =
  | { readonly access: 'read-write'; readonly device: BlockDevice }
  | { readonly access: 'read-only'; readonly device: BlockReader };

/** A request that the device under an export did not fulfil. The client was told EIO; the cause stays here. */
export interface DeviceFailure {
  readonly exportName: string;
  readonly request: 'read' | 'write' | 'write-zeroes';
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly cause: unknown;
}

/** What was served since the server began to listen, all exports and connections together. */
export interface NbdStatistics {
  readonly connections: number;
  readonly reads: number;
  readonly readBytes: number;
  readonly writes: number;
  readonly writtenBytes: number;
  /** Zeros that were asked for without being sent. */
  readonly zeroedBytes: number;
  readonly flushes: number;
  readonly trims: number;
  /** Connections that were cut because the client broke the protocol. */
  readonly brokenConnections: number;
}
