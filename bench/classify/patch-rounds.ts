import pLimit from 'p-limit';
import { classify, type ImageClass } from '../../core/classify/classify';
import type { Difference } from '../../core/match/difference';
import type { Update } from '../../core/update/update';
import type { MachinePlan } from './fleet-plan';
import {
  captureRuns,
  type CapturedRuns,
  type EarlierCapture,
  matchFile,
  profileOf,
  type StoredManifest,
} from './fleet-product';
import type { OnlineRun } from './online-updates';

const MAX_ROUNDS = 8;
/** Machines of other classes that a capture asks, as the step does. */
const MAX_EARLIER = 3;
/** Images read at the same time. */
const AT_ONCE = 4;

export interface PatchedMachine {
  readonly machine: MachinePlan;
  readonly by: StoredManifest;
}

export interface RoundsResult {
  /** Instances on which the update was run, representatives and witnesses, in their order. */
  readonly online: readonly string[];
  readonly rounds: number;
  readonly classes: number;
  /** Stopped machines that match a manifest. */
  readonly patched: readonly PatchedMachine[];
  /** By instance, the first difference from each manifest that it did not match. */
  readonly differences: ReadonlyMap<string, readonly string[]>;
  /** Machines that no class took; running ones beside the representatives are not among them. */
  readonly left: readonly { readonly instanceId: string; readonly reason: string }[];
  readonly notes: readonly string[];
}

/**
 * Patches a fleet as the workflow does, in rounds: classify, run the update on a representative and a witness of each
 * class, capture, match all members; those that differ go on to the next round, where what was captured so far is tried first.
 */
export async function patchInRounds(
  update: Update,
  machines: readonly MachinePlan[],
  runs: ReadonlyMap<string, OnlineRun>,
): Promise<RoundsResult> {
  const byId = new Map(machines.map((machine) => [machine.instanceId, machine]));
  const limit = pLimit(AT_ONCE);
  const found = await Promise.all(
    machines.map(({ instanceId }) =>
      limit(() => profileOf(runs.get(instanceId)!.before, update, instanceId)),
    ),
  );
  const profiles = new Map(found.map((profile) => [profile.instanceId, profile]));
  const packages = new Set([...profiles.values()].flatMap((profile) => Object.keys(profile.packages)));
  const online: string[] = [];
  const patched: PatchedMachine[] = [];
  const left: RoundsResult['left'][number][] = [];
  const notes: string[] = [];
  const told = new Map<string, string[]>();
  const known: StoredManifest[] = [];
  /** By instance, what it was compared with, the last first. */
  const compared = new Map<string, readonly EarlierCapture[]>();
  let classes = 0;
  let waiting = new Map<string, readonly string[]>(machines.map(({ instanceId }) => [instanceId, []]));
  let round = 0;
  while (waiting.size > 0 && round++ < MAX_ROUNDS) {
    const live = new Set(
      round > 1 ? [] : machines.filter((machine) => machine.live).map(({ instanceId }) => instanceId),
    );
    const candidates = [];
    const ids = [...waiting.keys()];
    const fits = await Promise.all(
      ids.map((instanceId) => limit(async () => (round === 1 ? undefined : findFit(instanceId)))),
    );
    for (const [index, instanceId] of ids.entries()) {
      const fit = fits[index];
      if (fit === undefined) candidates.push(profiles.get(instanceId)!);
      else patched.push({ machine: byId.get(instanceId)!, by: fit });
    }
    const classified = classify(candidates, {
      live,
      representative: 'auto',
      // A check copies nothing, and its result is asked of one machine a class.
      dataPoints: update.kind === 'compliance' ? 1 : 2,
      ...(round > 1 && { differences: waiting }),
    });
    left.push(...classified.unclassified);
    waiting = new Map();
    const siblings: EarlierCapture[] = [];
    for (const imageClass of classified.classes) await patchClass(imageClass, siblings);
  }
  left.push(...[...waiting.keys()].map((instanceId) => ({ instanceId, reason: 'no round was left' })));
  return { online, rounds: round, classes, patched, differences: told, left, notes };

  async function findFit(instanceId: string): Promise<StoredManifest | undefined> {
    for (const manifest of known.slice(0, 5)) {
      if ((await matchFile(runs.get(instanceId)!.before, manifest)).matched) return manifest;
    }
    return undefined;
  }

  /** In later rounds a witness is asked only when machines of other classes do not explain everything. */
  async function captureClass(
    run: OnlineRun,
    witness: OnlineRun | undefined,
    siblings: readonly EarlierCapture[],
  ): Promise<CapturedRuns> {
    const own = compared.get(run.machine.instanceId) ?? [];
    const earlier = round === 1 ? [] : [...own, ...siblings].slice(0, MAX_EARLIER);
    if (earlier.length > 0) {
      const alone = await captureRuns(update, run, { earlier }, packages);
      if (witness === undefined || alone.unexplained?.length === 0) return alone;
      notes.push(`${run.machine.hostName}: a witness was needed: ${alone.unexplained?.[0] ?? ''}`);
    }
    if (witness === undefined) return captureRuns(update, run, {}, packages);
    online.push(witness.machine.instanceId);
    const stored = await captureRuns(update, run, { witness, earlier }, packages);
    if (!stored.witnessUsed) {
      notes.push(
        `${run.machine.hostName}: the witness ${witness.machine.hostName} was no data point: ${stored.note ?? 'no reason given'}`,
      );
      // It was run there all the same.
      const ofWitness = await captureRuns(update, witness, { earlier: [{ run, stored }] }, packages);
      if (ofWitness.unexplained?.length === 0) known.unshift(ofWitness);
    }
    return stored;
  }

  async function patchClass(
    { classId, representative, witness, members }: ImageClass,
    siblings: EarlierCapture[],
  ): Promise<void> {
    classes++;
    const run = runs.get(representative.instanceId)!;
    const witnessRun = witness && runs.get(witness.instanceId)!;
    online.push(representative.instanceId);
    const stored = await captureClass(run, witnessRun, siblings);
    siblings.push({ run, stored });
    const results = await Promise.all(
      members.map((instanceId) => limit(() => matchFile(runs.get(instanceId)!.before, stored))),
    );
    for (const [index, instanceId] of members.entries()) {
      const result = results[index]!;
      if (result.matched) {
        patched.push({ machine: byId.get(instanceId)!, by: stored });
        continue;
      }
      compared.set(instanceId, [{ run, stored }, ...(compared.get(instanceId) ?? [])]);
      told.set(instanceId, [...(told.get(instanceId) ?? []), inWords(result.differences[0]!)]);
      if (instanceId === representative.instanceId) {
        // Another round would end the same.
        left.push({
          instanceId,
          reason: `its own update cannot be made offline: ${inWords(result.differences[0]!)}`,
        });
        continue;
      }
      waiting.set(instanceId, [
        classId,
        ...result.differences.map(({ path, record, found }) => `${path}\0${record ?? ''}\0${found}`),
      ]);
    }
  }
}

const inWords = ({ path, record, why }: Difference): string =>
  `${path}${record === undefined ? '' : ` [${record}]`}: ${why}`;
