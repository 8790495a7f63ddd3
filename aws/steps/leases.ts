import type { FailureDocument, OutcomeDocument } from '../../core/workflow/documents';
import { classFailuresPrefix, failureKey, leaseKey, outcomeKey } from '../../core/workflow/keys';
import type {
  LeaseInput,
  ReleaseLeaseInput,
  ReleaseLeaseOutput,
  TakeLeaseInput,
  TakeLeaseOutput,
} from '../../core/workflow/payloads';
import { patchHolder, rollBackHolder } from '../s3/lease-store';
import type { Services } from '../services';
import { TooManyFailuresError } from './step-errors';

const holderOf = ({ run, classId }: LeaseInput): string =>
  classId === undefined ? rollBackHolder(run) : patchHolder(run);

/** @throws LeaseHeldError, TooManyFailuresError; the machine was not touched then */
export async function takeLease(services: Services, input: TakeLeaseInput): Promise<TakeLeaseOutput> {
  const { instanceId } = input;
  await refuseAfterFailures(services, input);
  if (input.classId === undefined) await inheritLease(services, input);
  await services.leases.take(instanceId, holderOf(input));
  return { leaseKey: leaseKey(instanceId) };
}

/** The outcome is written before the machine is free for others. */
export async function releaseLease(
  services: Services,
  input: ReleaseLeaseInput,
): Promise<ReleaseLeaseOutput> {
  const { run, instanceId, classId, outcome } = input;
  const document: OutcomeDocument = { instanceId, classId, outcome, at: services.now().toISOString() };
  await services.documents.write(outcomeKey(run, instanceId), document);
  return { released: await services.leases.release(instanceId, holderOf(input)) };
}

async function refuseAfterFailures(
  { documents }: Services,
  { run, classId, instanceId, tolerance }: TakeLeaseInput,
): Promise<void> {
  if (tolerance === undefined || classId === undefined) return;
  const { percentage, memberCount } = tolerance;
  const failed = (await documents.list(classFailuresPrefix(run, classId))).length;
  if (failed * 100 > percentage * memberCount) {
    throw new TooManyFailuresError(instanceId, failed, percentage, memberCount);
  }
}

/** A patch that could not put the old volume back keeps its lease, for the roll back of the same run and nobody else. */
async function inheritLease({ documents, leases }: Services, { run, instanceId }: LeaseInput): Promise<void> {
  const failure = await documents.find<FailureDocument>(failureKey(run, instanceId));
  if (failure !== undefined) await leases.handOver(instanceId, patchHolder(run), rollBackHolder(run));
}
