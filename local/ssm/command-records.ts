import type { Time } from '../state/resources';
import type { CommandStep } from './command-steps';

export type InvocationStatus =
  'Pending' | 'InProgress' | 'Success' | 'Failed' | 'TimedOut' | 'Cancelled' | 'Cancelling';

/** How one script of a command went. */
export interface StepRecord {
  name: string;
  status: InvocationStatus;
  statusDetails: string;
  responseCode: number;
  startedAt: Time;
  endedAt: Time;
  stdout: string;
  stderr: string;
}

/** One command on one instance. */
export interface InvocationRecord {
  commandId: string;
  instanceId: string;
  instanceName: string;
  status: InvocationStatus;
  /** Finer than the status, without spaces: `ExecutionTimedOut`, `DeliveryTimedOut`... */
  statusDetails: string;
  responseCode: number;
  requestedAt: Time;
  startedAt?: Time;
  endedAt?: Time;
  /** Of all its scripts together. */
  stdout: string;
  stderr: string;
  /** Those that have ended. */
  steps: StepRecord[];
}

export interface CommandRecord {
  commandId: string;
  documentName: string;
  documentVersion: string;
  steps: readonly CommandStep[];
  comment: string;
  parameters: Record<string, string[]>;
  instanceIds: string[];
  targets: { Key?: string; Values?: string[] }[];
  requestedAt: Time;
  /** Delivery time-out, in seconds. */
  timeoutSeconds: number;
  outputS3BucketName: string;
  outputS3KeyPrefix: string;
  maxConcurrency: string;
  maxErrors: string;
  targetCount: number;
  invocations: InvocationRecord[];
}

/** Statuses that do not change any more. */
export const isOver = (status: InvocationStatus): boolean =>
  status !== 'Pending' && status !== 'InProgress' && status !== 'Cancelling';

/** Status of the whole command: an execution time-out counts as failed, a delivery time-out as timed out. */
export function commandStatus(command: CommandRecord): { status: InvocationStatus; details: string } {
  const { invocations, targets } = command;
  if (invocations.length === 0)
    return { status: 'Success', details: targets.length > 0 ? 'NoInstancesInTag' : 'Success' };
  if (invocations.every(({ status }) => status === 'Pending'))
    return { status: 'Pending', details: 'Pending' };
  if (invocations.some(({ status }) => !isOver(status)))
    return { status: 'InProgress', details: 'InProgress' };
  if (invocations.some(({ statusDetails }) => statusDetails === 'DeliveryTimedOut'))
    return { status: 'TimedOut', details: 'DeliveryTimedOut' };
  if (invocations.some(({ status }) => status === 'Failed' || status === 'TimedOut'))
    return { status: 'Failed', details: 'Failed' };
  if (invocations.some(({ status }) => status === 'Cancelled'))
    return { status: 'Cancelled', details: 'Cancelled' };
  return { status: 'Success', details: 'Success' };
}
