import { CreateTagsCommand, DeleteTagsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { LeaseDocument, SwapDocument } from '../../core/workflow/documents';
import { leaseKey, swapKey, TAGS } from '../../core/workflow/keys';
import type { SwapVolumeInput, SwapVolumeOutput } from '../../core/workflow/payloads';
import { tagList } from '../ec2/tags';
import { LeaseHeldError, patchHolder, rollBackHolder } from '../s3/lease-store';
import type { Services } from '../services';
import { InstanceStartedError, SwapBlockedError } from '../steps/step-errors';
import { type Direction, nextAction, type SwapAction } from './next-action';
import { performAction } from './perform-action';
import { planSwap } from './plan-swap';
import { readSwapState } from './swap-state';

/**
 * How often one invocation looks again before it lets the state machine wait: about 40 s. The pauses grow, for many machines
 * are swapped at once, and EC2 answers 20 looks a second in the account.
 */
const LOOKS = 16;
const pauseAfter = (look: number): number => Math.min(3_000, look * 700);

/** The same call refused this often, while EC2 shows a state in which it should do, is not going to do. */
const MAX_REFUSALS = 6;

/**
 * Goes as far as it can towards every device holding the new volume (`forward`) or the old one (`back`). It reads EC2's
 * state anew before each change, so it can be called at any point of a swap, by a retry or by a roll back.
 *
 * @throws InstanceStartedError, VolumeChangedError, SwapBlockedError, LeaseHeldError
 */
export async function swapVolume(
  services: Services,
  { run, instanceId, direction }: SwapVolumeInput,
): Promise<SwapVolumeOutput> {
  await requireLease(services, run, instanceId);
  const { documents, ec2 } = services;
  const key = swapKey(run, instanceId);
  const found = await documents.find<SwapDocument>(key);
  if (found === undefined && direction === 'back') return { done: true, state: 'nothing was swapped' };
  const journal = found ?? (await planSwap(services, run, instanceId));
  if (journal.direction === direction && journal.done) return { done: true, state: 'swapped before' };
  if (journal.direction !== direction || journal.done) {
    await documents.write(key, { ...journal, direction, done: false });
  }

  const action = await reconcile(services, journal, direction);
  if (action.kind !== 'done') return { done: false, state: describe(action) };
  await tagVolumes(ec2, journal, direction);
  const endedAt = services.now().toISOString();
  await documents.write(key, { ...journal, direction, done: true, endedAt } satisfies SwapDocument);
  return { done: true, state: direction === 'forward' ? 'new volume in place' : 'old volume in place' };
}

/** Who swaps must hold the machine: the run itself, or a roll back of it. */
async function requireLease({ documents, leases }: Services, run: string, instanceId: string): Promise<void> {
  const lease = await documents.read<LeaseDocument>(leaseKey(instanceId));
  if (![patchHolder(run), rollBackHolder(run)].includes(lease.holder)) {
    throw new LeaseHeldError(instanceId, lease);
  }
  await leases.renew(instanceId, lease.holder);
}

async function reconcile(
  { ec2, pause }: Services,
  { instanceId, swaps, launchTime }: SwapDocument,
  direction: Direction,
): Promise<SwapAction> {
  let refusals = 0;
  for (let look = 1; ; look += 1) {
    const state = await readSwapState(ec2, instanceId, swaps);
    const action = nextAction(state, direction, launchTime);
    if (action.kind === 'done') return action;
    if (action.kind === 'started') {
      throw new InstanceStartedError(instanceId, state.instanceState, { startedAt: state.launchTime });
    }
    if (action.kind === 'blocked') throw new SwapBlockedError(instanceId, action.why);
    const refused = await performAction(ec2, instanceId, action);
    if (refused !== undefined && (refusals += 1) >= MAX_REFUSALS) {
      throw new SwapBlockedError(instanceId, `${describe(action)}: ${refused.message}`, { cause: refused });
    }
    if (look === LOOKS) return action;
    await pause(pauseAfter(look));
  }
}

/** The volume out of use says why it is kept and until when; the one in use says nothing of the kind. */
async function tagVolumes(
  ec2: EC2Client,
  { run, instanceId, swaps, retainUntil }: SwapDocument,
  direction: Direction,
): Promise<void> {
  for (const { oldVolumeId, newVolumeId } of swaps) {
    const [used, unused] = direction === 'forward' ? [newVolumeId, oldVolumeId] : [oldVolumeId, newVolumeId];
    const tags = {
      [TAGS.run]: run,
      [TAGS.instance]: instanceId,
      [TAGS.replacedBy]: used,
      [TAGS.retainUntil]: retainUntil,
    };
    await ec2.send(new CreateTagsCommand({ Resources: [unused], Tags: tagList(tags) }));
    await ec2.send(
      new DeleteTagsCommand({
        Resources: [used],
        Tags: [{ Key: TAGS.replacedBy }, { Key: TAGS.retainUntil }],
      }),
    );
  }
}

function describe(action: SwapAction): string {
  switch (action.kind) {
    case 'wait':
      return `waiting: ${action.why}`;
    case 'attach':
    case 'detach':
      return `${action.kind}ing ${action.volumeId} at ${action.swap.deviceName}`;
    case 'set-delete-on-termination':
      return `setting DeleteOnTermination of ${action.swap.deviceName}`;
    default:
      return action.kind;
  }
}
