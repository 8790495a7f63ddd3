import { applyManifest } from '../../aws/steps/apply-manifest';
import { captureUpdate } from '../../aws/steps/capture-update';
import { classifyTargets } from '../../aws/steps/classify-targets';
import { cleanUpRun, terminateClone } from '../../aws/steps/clean-up';
import { createVolume } from '../../aws/steps/create-volume';
import { launchClone } from '../../aws/steps/launch-clone';
import { rememberManifest } from '../../aws/steps/remembered-manifests';
import { releaseLease, takeLease } from '../../aws/steps/leases';
import { matchInstance } from '../../aws/steps/match-instance';
import { planRun } from '../../aws/steps/plan-run';
import { profileInstance } from '../../aws/steps/profile-instance';
import { recordCompliance } from '../../aws/steps/record-compliance';
import { recordFailure } from '../../aws/steps/record-failure';
import { checkUpdate, startUpdate } from '../../aws/steps/run-update';
import { selectMatched } from '../../aws/steps/select-matched';
import { snapshotInstance } from '../../aws/steps/snapshot-instance';
import { verifyInstance } from '../../aws/steps/verify-instance';
import { writeReport } from '../../aws/steps/write-report';
import { swapVolume } from '../../aws/swap/swap-volume';
import type {
  CaptureUpdateOutput,
  ClassItem,
  MachineItem,
  MemberItem,
  PatchItem,
  PlanRunOutput,
  WitnessResult,
  WriteReportOutput,
} from '../../core/workflow/payloads';
import type { CaptureDocument } from '../../core/workflow/documents';
import { captureKey, classesKey as classesKeyOf, restKey } from '../../core/workflow/keys';
import type { UpdatesDocument } from '../../core/workflow/updates-document';
import { TEST_BUCKET, type TestServices } from './aws-services';
import { RECORDER } from './recorder-program';

/** The order of the state machines, in a few lines: what they do when nothing has to be waited for. */
export async function wholeRun(
  services: TestServices,
  updates: UpdatesDocument,
  input: unknown,
  name?: string,
): Promise<WriteReportOutput> {
  const plan = await planned(services, updates, input, name);
  const { run } = plan;
  for (const { instanceId } of await services.documents.readLines<MachineItem>(plan.targetsKey)) {
    await recorded(services, { run, instanceId }, () => profileTarget(services, { run, instanceId }));
  }
  let round = 1;
  let formed = await classifyTargets(services, { run, round });
  while (!plan.dryRun && formed.classCount > 0 && round <= plan.maxRounds) {
    for (const item of await services.documents.readLines<ClassItem>(formed.classesKey)) {
      await recorded(services, { run, classId: item.classId }, () => updateClass(services, item));
    }
    round += 1;
    formed = await classifyTargets(services, { run, round });
  }
  await until(services, () => cleanUpRun(services, { run }));
  return writeReport(services, { run });
}

export async function planned(
  services: TestServices,
  updates: UpdatesDocument,
  input: unknown,
  name = 'test-run',
): Promise<PlanRunOutput> {
  await services.documents.write('updates.json', updates);
  const execution = { id: 'arn:execution', name, startTime: services.now().toISOString() };
  return planRun(services, { input, execution }, { bucket: TEST_BUCKET, key: 'updates.json' });
}

export type Step = () => Promise<{ readonly done: boolean }>;

/** A run up to the captured manifest of its first class. */
export async function untilCaptured(
  services: TestServices,
  updates: UpdatesDocument,
  input: unknown,
): Promise<void> {
  const plan = await planned(services, updates, input);
  const { run } = plan;
  for (const { instanceId } of await services.documents.readLines<MachineItem>(plan.targetsKey)) {
    await profileTarget(services, { run, instanceId });
  }
  const { classesKey } = await classifyTargets(services, { run, round: 1 });
  const [item] = await services.documents.readLines<ClassItem>(classesKey);
  await captureClass(services, item!);
}

async function profileTarget(services: TestServices, item: MachineItem): Promise<void> {
  await until(services, () => snapshotInstance(services, { ...item, purpose: 'base' }));
  await profileInstance(services, item);
}

/** A member of the captured class, matched and ready to be patched. */
export async function matchedMember(services: TestServices, instanceId: string): Promise<PatchItem> {
  const run = 'test-run';
  const [item] = await services.documents.readLines<ClassItem>(classesKeyOf(run, 1));
  const { classId } = item!;
  const { manifestKey, manifestDigest } = await services.documents.read<CaptureDocument>(
    captureKey(run, classId),
  );
  const member = { run, classId, instanceId, manifestKey, manifestDigest };
  const { matched } = await matchInstance(services, member);
  if (!matched) throw new Error(`${instanceId} does not match`);
  return member;
}

async function updateClass(services: TestServices, item: ClassItem): Promise<void> {
  const { run, classId } = item;
  const { manifestKey, manifestDigest } = item.recorded ?? (await captureClass(services, item));
  for (const member of await services.documents.readLines<MemberItem>(item.membersKey)) {
    await recorded(services, member, () =>
      matchInstance(services, { ...member, manifestKey, manifestDigest }),
    );
  }
  if (item.check === true) {
    await until(services, () => recordCompliance(services, { run, classId }, () => true));
    return;
  }
  const { canary } = await selectMatched(services, { run, classId });
  if (canary !== undefined) await patchInstance(services, canary);
  for (const member of await services.documents.readLines<PatchItem>(restKey(run, classId))) {
    await recorded(services, member, () => patchInstance(services, member));
  }
  if (item.recorded === undefined) await rememberManifest(services, { run, classId });
}

async function captureClass(services: TestServices, item: ClassItem): Promise<CaptureUpdateOutput> {
  const { run, classId, representative } = item;
  const kind = representative.kind === 'clone' ? 'clone' : 'live';
  const instanceId = await runUpdate(services, { run, classId, ...representative, kind });
  const captured = { run, classId, instanceId };
  if (item.witness === undefined) return captureUpdate(services, captured);
  if (item.witness.onlyIfNeeded === true) {
    const alone = await captureUpdate(services, captured);
    if (!alone.witnessNeeded) return alone;
  }
  const witness = await runWitness(services, { run, classId, ...item.witness });
  return captureUpdate(services, { ...captured, witness });
}

type OnlineMachine = MemberItem & { readonly kind: 'live' | 'clone' };

/** A witness that fails is told to the capture. */
async function runWitness(services: TestServices, machine: OnlineMachine): Promise<WitnessResult> {
  try {
    return { instanceId: await runUpdate(services, machine), error: null };
  } catch (error) {
    const { name, message } = error as Error;
    return { instanceId: machine.instanceId, error: { Error: name, Cause: message } };
  }
}

/** As run-update does it; gives the machine on which it was run. */
async function runUpdate(services: TestServices, machine: OnlineMachine): Promise<string> {
  const { run, classId, kind } = machine;
  const original = { run, classId, instanceId: machine.instanceId };
  let { instanceId } = machine;
  if (kind === 'clone') {
    const network = { securityGroupIds: ['sg-0a0a0a0a0a0a0a0a0'] };
    const launched = await until(services, () => launchClone(services, original, network, () => true));
    instanceId = launched.cloneInstanceId!;
  }
  const classInput: MemberItem = { run, classId, instanceId };
  await until(services, () => snapshotInstance(services, { ...classInput, purpose: 'before' }));
  const { commandId } = await startUpdate(services, classInput, RECORDER);
  await until(services, () => checkUpdate(services, { ...classInput, commandId }));
  await until(services, () => snapshotInstance(services, { ...classInput, purpose: 'after' }));
  if (kind === 'clone') await until(services, () => terminateClone(services, original));
  return instanceId;
}

/** As patch-instance does it: whatever fails, the old volume is put back. */
export async function patchInstance(services: TestServices, item: PatchItem): Promise<void> {
  await takeLease(services, item);
  try {
    await until(services, () => applyManifest(services, item, () => true));
    await until(services, () => createVolume(services, item));
    await until(services, () => swapVolume(services, { ...item, direction: 'forward' }));
    await verifyInstance(services, item);
  } catch (error) {
    await until(services, () => swapVolume(services, { ...item, direction: 'back' }));
    await recordError(services, item, error);
    await releaseLease(services, { ...item, outcome: 'failed' });
    throw error;
  }
  await releaseLease(services, { ...item, outcome: 'patched' });
}

/** Calls a step until it is done, as a state machine does with a wait in between. */
export async function until<T extends { readonly done: boolean }>(
  services: TestServices,
  step: () => Promise<T>,
): Promise<T> {
  for (let call = 1; call <= 500; call += 1) {
    const output = await step();
    if (output.done) return output;
    await services.pause(5_000);
  }
  throw new Error('a step was not done after 500 calls');
}

async function recorded(
  services: TestServices,
  where: { run: string; instanceId?: string; classId?: string },
  step: () => Promise<unknown>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    await recordError(services, where, error);
  }
}

async function recordError(
  services: TestServices,
  { run, instanceId, classId }: { run: string; instanceId?: string; classId?: string },
  error: unknown,
): Promise<void> {
  const { name, message } = error as Error;
  const Cause = JSON.stringify({ errorType: name, errorMessage: message });
  await recordFailure(services, { run, instanceId, classId, step: 'Test', error: { Error: name, Cause } });
}
