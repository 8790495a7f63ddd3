import type { EC2Client } from '@aws-sdk/client-ec2';
import type { PlanDocument, SwapDocument } from '../../core/workflow/documents';
import { planKey, swapKey } from '../../core/workflow/keys';
import { newId } from '../../local/state/ids';
import type { VolumeRecord } from '../../local/state/resources';
import type { TestServices } from './aws-services';
import type { TestMachine } from './test-machines';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** A time of the embedded cloud, so many days from now. */
export const inDays = ({ now }: TestServices, days: number): string =>
  new Date(now().getTime() + days * DAY_MS).toISOString();

/** Another volume like the machine's own, available, with these tags. */
export function addVolume(
  { state }: TestServices,
  { volumeId: like }: TestMachine,
  tags: Record<string, string>,
  more: Partial<VolumeRecord> = {},
): string {
  const volumeId = newId('vol');
  const { attachment: _none, ...record } = state.volumes.get(like)!;
  state.volumes.set(volumeId, { ...record, volumeId, tags, ...more });
  return volumeId;
}

/** The journal of a swap that put `newVolumeId` in the place of `oldVolumeId`. */
export async function writeSwap(
  { documents }: TestServices,
  run: string,
  instanceId: string,
  volumes: { oldVolumeId: string; newVolumeId: string },
  more: Partial<SwapDocument> = {},
): Promise<void> {
  const swaps = [{ deviceName: '/dev/xvda', isRoot: true, deleteOnTermination: true, ...volumes }];
  const journal = { run, instanceId, swaps, direction: 'forward', done: true, ...more };
  await documents.write(swapKey(run, instanceId), journal as SwapDocument);
}

export async function writePlan(services: TestServices, run: string, startedAt: string): Promise<void> {
  const plan = { run, execution: { id: `arn:${run}`, name: run, startTime: startedAt }, startedAt };
  await services.documents.write(planKey(run), plan as PlanDocument);
}

/** Does something in the moment before each call of one operation. */
export function before(ec2: EC2Client, operation: string, act: () => void): void {
  ec2.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === `${operation}Command`) act();
        return next(args);
      },
    { step: 'initialize', name: `before-${operation}` },
  );
}
