/** How long things take on the cloud's clock, in milliseconds. */
export interface Timings {
  /** CreateSnapshot until completed. AWS: 32 to 79 s. */
  snapshotPending: number;
  /** CompleteSnapshot until completed. AWS: 0.8 to 1.9 s. */
  writtenSnapshotPending: number;
  /** `completed` until the EBS direct APIs can read it. AWS: 6 s to over 60 s. */
  directReadLag: number;
  /** Least time between two CreateSnapshot calls of one volume. */
  snapshotInterval: number;
  volumeCreating: number;
  volumeDeleting: number;
  volumeModifying: number;
  attaching: number;
  detaching: number;
  /** Least time; a machine's own boot and shutdown may take longer. */
  instancePending: number;
  instanceStopping: number;
  instanceShuttingDown: number;
  /** TerminateInstances until reads follow. */
  terminateVisible: number;
  /** SendCommand until GetCommandInvocation knows it. */
  commandVisible: number;
}

export const DEFAULT_TIMINGS: Timings = {
  snapshotPending: 20_000,
  writtenSnapshotPending: 1_500,
  directReadLag: 6_000,
  snapshotInterval: 15_000,
  volumeCreating: 3_000,
  volumeDeleting: 1_500,
  volumeModifying: 1_500,
  attaching: 2_000,
  detaching: 4_000,
  instancePending: 6_000,
  instanceStopping: 12_000,
  instanceShuttingDown: 12_000,
  terminateVisible: 1_000,
  commandVisible: 50,
};
