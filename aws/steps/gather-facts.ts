import type { ClassFacts, MachineFacts, OnlineFacts, RunFacts } from '../../core/report/run-facts';
import type { Profile } from '../../core/profile/profile';
import type {
  ClassDocument,
  ClassUpdateDocument,
  CloneDocument,
  MatchDocument,
  PlanDocument,
  ProfileDocument,
  RoundDocument,
  TargetDocument,
} from '../../core/workflow/documents';
import {
  applyKey,
  captureKey,
  classFailureKey,
  classKey,
  classUpdateKey,
  cloneKey,
  complianceKey,
  failureKey,
  machineComplianceKey,
  machinePrefix,
  outcomeKey,
  planKey,
  profileKey,
  roundKey,
  runFailureKey,
  runPrefix,
  snapshotsKey,
  swapKey,
  targetKey,
  targetsKey,
  verifyKey,
} from '../../core/workflow/keys';
import { manifestFacts } from '../../core/workflow/manifest-facts';
import type { MachineItem } from '../../core/workflow/payloads';
import type { Services } from '../services';
import { findManifest } from './read-manifest';

/** Reads what the steps of a run wrote down. One listing says what is there, so that nothing is asked for in vain. */
export async function gatherFacts({ documents, now }: Services, run: string): Promise<RunFacts> {
  const keys = new Set(await documents.list(runPrefix(run)));
  const find = async <T>(key: string): Promise<T | undefined> =>
    keys.has(key) ? documents.find<T>(key) : undefined;

  const plan = await documents.read<PlanDocument>(planKey(run));
  const rounds: RoundDocument[] = [];
  for (let round = 1; keys.has(roundKey(run, round)); round += 1) {
    rounds.push(await documents.read<RoundDocument>(roundKey(run, round)));
  }
  const classes = await Promise.all(
    rounds.flatMap((round) => round.classes).map(({ classId, members }) => classFacts(classId, members)),
  );
  const items = await documents.readLines<MachineItem>(targetsKey(run));
  const machines = await Promise.all(items.map(({ instanceId }) => machineFacts(instanceId)));
  return {
    plan,
    rounds,
    classes,
    machines,
    failure: await find(runFailureKey(run)),
    now: now().toISOString(),
  };

  async function classFacts(classId: string, members: readonly string[]): Promise<ClassFacts> {
    const document = await documents.read<ClassDocument>(classKey(run, classId));
    const { representative, witness } = document;
    const [first, second, capture, failure, compliance, recorded] = await Promise.all([
      onlineFacts(classId, representative.instanceId),
      witness === undefined ? undefined : onlineFacts(classId, witness.instanceId),
      find<ClassFacts['capture']>(captureKey(run, classId)),
      find<ClassFacts['failure']>(classFailureKey(run, classId)),
      find<ClassFacts['compliance']>(complianceKey(run, classId)),
      document.recorded === undefined ? undefined : findManifest(documents, document.recorded),
    ]);
    return {
      document,
      members,
      ...first,
      ...(second === undefined ? {} : { witness: second }),
      ...(recorded === undefined
        ? {}
        : { recorded: { operationCount: recorded.operations.length, told: manifestFacts(recorded) } }),
      capture,
      compliance,
      failure,
    };
  }

  /** How the update went on one machine, or on its clone. */
  async function onlineFacts(classId: string, instanceId: string): Promise<OnlineFacts> {
    const clone = await find<CloneDocument>(cloneKey(run, classId, instanceId));
    const key = classUpdateKey(run, classId, clone?.cloneInstanceId ?? instanceId);
    return { clone, update: await find<ClassUpdateDocument>(key) };
  }

  async function machineFacts(instanceId: string): Promise<MachineFacts> {
    const matchKeys = [...keys].filter((key) => key.startsWith(`${machinePrefix(run, instanceId)}match-`));
    const [target, matches, snapshots, profile, apply, swap, verify, outcome, failure, compliance] =
      await Promise.all([
        documents.read<TargetDocument>(targetKey(run, instanceId)),
        Promise.all(matchKeys.map((key) => documents.read<MatchDocument>(key))),
        find<MachineFacts['snapshots']>(snapshotsKey(run, instanceId, 'base')),
        find<ProfileDocument<Profile>>(profileKey(run, instanceId)),
        find<MachineFacts['apply']>(applyKey(run, instanceId)),
        find<MachineFacts['swap']>(swapKey(run, instanceId)),
        find<MachineFacts['verify']>(verifyKey(run, instanceId)),
        find<MachineFacts['outcome']>(outcomeKey(run, instanceId)),
        find<MachineFacts['failure']>(failureKey(run, instanceId)),
        find<MachineFacts['compliance']>(machineComplianceKey(run, instanceId)),
      ]);
    const inOrder = matches.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
    return {
      target,
      packages: profile?.profile.packages,
      matches: inOrder,
      snapshots,
      profile,
      apply,
      swap,
      verify,
      outcome,
      failure,
      compliance,
    };
  }
}
