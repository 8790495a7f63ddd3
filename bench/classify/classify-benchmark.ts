import { rm } from 'node:fs/promises';
import pLimit from 'p-limit';
import { parseCheckOutput } from '../../core/compliance/parse-check-output';
import type { CommandsUpdate } from '../../core/update/update';
import { makeFleetImages } from './fleet-images';
import { type MachinePlan, planFleet } from './fleet-plan';
import { patchFile, type StoredManifest } from './fleet-product';
import { type OnlineRun, OnlineUpdates } from './online-updates';
import { outcomeRow } from './outcome-table';
import { type PatchedMachine, patchInRounds, type RoundsResult } from './patch-rounds';
import type { ScratchStore } from './scratch-store';
import { differencesBetween, type Effects, effectsOf, outcomes } from './truth';

/** Updates run at the same time. */
const AT_ONCE = 3;

/** How one update went on the whole fleet. */
export interface UpdateResult {
  readonly update: string;
  readonly machines: number;
  /** Truly different outcomes. */
  readonly outcomes: number;
  readonly classes: number;
  readonly rounds: number;
  /** On representatives and witnesses. */
  readonly onlineUpdates: number;
  readonly patched: number;
  /** Machines whose patched image is not what their own online update left, with the first difference. */
  readonly falselyPatched: readonly string[];
  /** Machines that matched, and could not be patched: nothing was written. */
  readonly failed: readonly string[];
  /** Machines that needed an online run although another machine with their outcome had had one. */
  readonly missed: readonly string[];
  /** Where the plan of the fleet is wrong: then the figures say nothing. */
  readonly planMistakes: readonly string[];
  readonly notes: readonly string[];
}

/** Builds a fleet, runs every update on every machine of it for the truth, and has the product patch it in rounds. */
export async function classifyFleet(
  store: ScratchStore,
  size: number,
  updates: readonly CommandsUpdate[],
  tell: (line: string) => void,
): Promise<UpdateResult[]> {
  const machines = planFleet(size);
  const images = await makeFleetImages(store, machines, tell);
  const online = await OnlineUpdates.prepare(store, images);
  const results: UpdateResult[] = [];
  for (const update of updates) {
    tell(`running ${update.name} on each machine`);
    const limit = pLimit(AT_ONCE);
    const runs = await Promise.all(machines.map((machine) => limit(() => online.run(update, machine))));
    tell(`patching the fleet with ${update.name} in rounds`);
    const result = await measureUpdate(update, runs, store);
    results.push(result);
    tell(outcomeRow(result).join(' | '));
    for (const line of result.falselyPatched) tell(`  falsely: ${line}`);
    for (const run of runs) await online.forget(run);
  }
  return results;
}

async function measureUpdate(
  update: CommandsUpdate,
  runs: readonly OnlineRun[],
  store: ScratchStore,
): Promise<UpdateResult> {
  const byId = new Map(runs.map((run) => [run.machine.instanceId, run]));
  const machines = runs.map(({ machine }) => machine);
  const isCheck = update.kind === 'compliance';
  const effects = new Map(
    await Promise.all(
      runs.map(async ({ machine, before, after, output }): Promise<[string, Effects]> => [
        machine.instanceId,
        isCheck ? checkEffects(output) : await effectsOf(before, after),
      ]),
    ),
  );
  const { byName, mistakes } = outcomes(update.name, runs, effects);
  const rounds = await patchInRounds(update, machines, byId);
  const falselyPatched: string[] = [];
  const failed: string[] = [];
  const limit = pLimit(AT_ONCE);
  await Promise.all(rounds.patched.map((patched) => limit(() => judge(patched))));
  return {
    update: update.name,
    machines: machines.length,
    outcomes: byName.size,
    classes: rounds.classes,
    rounds: rounds.rounds,
    onlineUpdates: rounds.online.length,
    patched: rounds.patched.length,
    falselyPatched,
    failed,
    missed: missedOf(rounds, byName, byId),
    planMistakes: mistakes,
    notes: [...rounds.notes, ...rounds.left.map(({ instanceId, reason }) => `${instanceId}: ${reason}`)],
  };

  async function judge({ machine, by }: PatchedMachine): Promise<void> {
    const own = effects.get(machine.instanceId)!;
    const other = byId.get(by.capturedOn)!.machine;
    const differences = isCheck
      ? differencesBetween(effects.get(by.capturedOn)!, own)
      : await patchAndCompare(machine, by, own);
    if (differences.length === 0) return;
    falselyPatched.push(describe(machine, other, differences.slice(0, 4).join('; ')));
  }

  async function patchAndCompare(machine: MachinePlan, by: StoredManifest, own: Effects): Promise<string[]> {
    const { before } = byId.get(machine.instanceId)!;
    const image = store.file(`patched-${machine.instanceId}.img`);
    await store.copy(before, image);
    try {
      await patchFile(image, by);
      return differencesBetween(await effectsOf(before, image), own);
    } catch (error) {
      failed.push(`${machine.hostName}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    } finally {
      await rm(image);
    }
  }
}

const describe = (machine: MachinePlan, by: MachinePlan, what: string): string =>
  `${machine.hostName} (${machine.packages.name}; ${machine.change.name}) by what was captured on ${by.hostName} ` +
  `(${by.packages.name}; ${by.change.name}): ${what}`;

function checkEffects(output: string): Effects {
  const { rules } = parseCheckOutput(output);
  return new Map(
    rules.map(({ rule, status }) => [`/${rule}`, { path: `/${rule}`, type: 'rule', content: status }]),
  );
}

/** Beyond the two data points that each outcome may have. */
function missedOf(
  { online, differences }: RoundsResult,
  byName: ReadonlyMap<string, readonly MachinePlan[]>,
  byId: ReadonlyMap<string, OnlineRun>,
): string[] {
  const nameOf = new Map(
    [...byName].flatMap(([name, machines]) => machines.map(({ instanceId }) => [instanceId, name])),
  );
  const runsOf = new Map<string, number>();
  const missed: string[] = [];
  for (const instanceId of online) {
    const name = nameOf.get(instanceId)!;
    const count = (runsOf.get(name) ?? 0) + 1;
    runsOf.set(name, count);
    if (count <= 2) continue;
    const { machine } = byId.get(instanceId)!;
    missed.push(
      `${machine.hostName} (${machine.packages.name}; ${machine.change.name}), outcome "${name}": ${differences.get(instanceId)?.[0] ?? 'a class of its own from the beginning'}`,
    );
  }
  return missed;
}
