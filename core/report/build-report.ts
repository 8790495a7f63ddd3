import { estimateRun } from '../classify/estimate-run';
import { type CostItem, costItems, secondsOf, type Spent, sumUsage, totalUsd, usdOfUsage } from './cost';
import { FallenOut } from './fallen-out';
import { machineOutcome } from './machine-outcome';
import type { Report, ReportCounts, ReportedClass, ReportedMachine } from './report';
import { onlineUpdates, reportClass } from './report-class';
import type { MachineFacts, RunFacts } from './run-facts';

/** Differences that a report shows of one machine; match.json has more. */
const SHOWN_DIFFERENCES = 10;

/** Puts together what happened, from what the steps wrote down. */
export function buildReport(facts: RunFacts): Report {
  const { plan } = facts;
  const fallenOut = new FallenOut(facts);
  const machines = facts.machines.map((machine) => reportMachine(machine, facts, fallenOut));
  const classes = facts.classes.map((one) => reportClass(one, machines, facts));
  const counts = countsOf(facts, machines);
  const usage = sumUsage([...machines, ...classes].map((one) => one.usage));
  const { dryRun } = plan.settings;
  const cost = dryRun ? estimated(facts) : costItems(spentBy(facts, machines, classes));
  const succeeded = hasSucceeded(facts, counts);
  return {
    formatVersion: 1,
    run: plan.run,
    executionId: plan.execution.id,
    update: {
      name: plan.settings.update.name,
      kind: plan.settings.update.kind,
      ...(plan.settings.update.description === undefined
        ? {}
        : { description: plan.settings.update.description }),
    },
    dryRun,
    startedAt: plan.startedAt,
    endedAt: facts.now,
    seconds: secondsOf({ startedAt: plan.startedAt, endedAt: facts.now }),
    succeeded,
    summary: summaryOf(facts, counts),
    counts,
    ...(facts.failure === undefined ? {} : { failure: facts.failure }),
    classes,
    machines,
    excluded: plan.excluded,
    usage,
    cost: { estimated: dryRun, usd: totalUsd(cost), items: cost },
    warnings: [
      ...(dryRun ? knownFromEarlier(plan) : []),
      ...classes.flatMap(({ classId, warnings }) => warnings.map((warning) => `${classId}: ${warning}`)),
    ],
  };
}

/** What is known before a run of what it cannot do at once; each thing is told once, by the newest run that met it. */
function knownFromEarlier({ remembered = [] }: RunFacts['plan']): string[] {
  const told = new Map<string, string>();
  for (const { run, capturedAt, onlyOnline = [], firstBoot = [] } of remembered) {
    const when = `Run ${run} found on ${capturedAt.slice(0, 10)}`;
    for (const reason of onlyOnline) {
      const words = `${when} that machines must be updated online: ${reason}`;
      if (!told.has(reason)) told.set(reason, words);
    }
    for (const reason of firstBoot) {
      const words = `${when} that a patched machine does something at its first boot: ${reason}`;
      if (!told.has(reason)) told.set(reason, words);
    }
  }
  return [...told.values()];
}

function reportMachine(machine: MachineFacts, run: RunFacts, fallenOut: FallenOut): ReportedMachine {
  const { target, swap, matches, compliance } = machine;
  const { outcome, sentence, classId } = machineOutcome(machine, run, fallenOut);
  const why = fallenOut.why(matches.find(({ matched }) => !matched));
  const steps = [...stepsOf(machine), ...(machine.snapshots === undefined ? [] : [machine.snapshots])];
  const usage = sumUsage(steps.map(({ calls }) => calls));
  const unmatched = matches.filter(({ matched }) => !matched).at(-1);
  return {
    instanceId: target.instanceId,
    name: target.name,
    state: target.state,
    filesystems: machine.profile?.mounts ?? [],
    outcome,
    sentence,
    ...(why === undefined ? {} : { why }),
    ...(classId === undefined ? {} : { classId }),
    seconds: elapsed(machine),
    usage,
    usd: usdOfUsage(usage),
    oldVolumeIds: swap?.swaps.map(({ oldVolumeId }) => oldVolumeId) ?? [],
    newVolumeIds: swap?.swaps.map(({ newVolumeId }) => newVolumeId) ?? [],
    ...(swap === undefined ? {} : { retainUntil: swap.retainUntil }),
    ...(compliance === undefined ? {} : { rules: { passed: compliance.passed, failed: compliance.failed } }),
    differences: outcome === 'patched' ? [] : (unmatched?.differences ?? []).slice(0, SHOWN_DIFFERENCES),
  };
}

/** The steps of a machine that read or write blocks. */
function stepsOf({ profile, matches, apply, verify }: MachineFacts) {
  return [profile, ...matches, apply, verify].filter((step) => step !== undefined);
}

function elapsed(machine: MachineFacts): number {
  const { snapshots, swap, outcome, failure } = machine;
  const times = [...stepsOf(machine), ...(snapshots === undefined ? [] : [snapshots])]
    .flatMap(({ startedAt, endedAt }) => [startedAt, endedAt])
    .concat([swap?.endedAt, outcome?.at, failure?.at].filter((time) => time !== undefined))
    .map((time) => Date.parse(time));
  return times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000;
}

function spentBy(
  { plan, machines, classes }: RunFacts,
  reported: readonly ReportedMachine[],
  reportedClasses: readonly ReportedClass[],
): Spent {
  const steps = [
    ...machines.flatMap(stepsOf),
    ...classes.flatMap(({ clone, witness, capture }) => [clone, witness?.clone, capture]),
  ].filter((step) => step !== undefined);
  return {
    usage: sumUsage([...reported, ...reportedClasses].map(({ usage }) => usage)),
    blockStepSeconds: steps.reduce((sum, step) => sum + secondsOf(step), 0),
    machines: machines.length,
    keptGib: machines
      .filter((_machine, at) => reported[at]?.outcome === 'patched')
      .flatMap(({ swap }) => swap?.swaps ?? [])
      .reduce((sum, { attributes }) => sum + attributes.sizeGib, 0),
    retainDays: plan.settings.retainDays,
  };
}

/** What the classes of a dry run would take. */
function estimated({ plan, rounds, machines }: RunFacts): CostItem[] {
  const targets = machines.map(({ target, profile }) => ({
    instanceId: target.instanceId,
    volumeBytes: target.volumes.reduce((sum, { attributes }) => sum + attributes.sizeGib, 0) * 2 ** 30,
    profileBlocks: profile?.calls.getBlocks ?? 0,
    snapshotBlocks: 0,
  }));
  const { parts } = estimateRun({
    classes: rounds[0]?.classes ?? [],
    targets,
    retainDays: plan.settings.retainDays,
  });
  return parts.map(({ what, costUsd }) => ({ what, usd: costUsd }));
}

function countsOf({ plan, classes }: RunFacts, machines: readonly ReportedMachine[]): ReportCounts {
  const count = (...outcomes: ReportedMachine['outcome'][]): number =>
    machines.filter(({ outcome }) => outcomes.includes(outcome)).length;
  return {
    targets: machines.length,
    classes: classes.length,
    patched: count('patched'),
    updatedOnline: count('updated-online'),
    onlineUpdates: classes.reduce((sum, one) => sum + onlineUpdates(one), 0),
    upToDate: count('up-to-date'),
    checked: count('checked'),
    notPatched: count('not-patched'),
    failed: count('failed'),
    rolledBack: count('rolled-back'),
    excluded: plan.excluded.length,
  };
}

function hasSucceeded({ plan, classes, failure }: RunFacts, { failed, targets }: ReportCounts): boolean {
  const tolerated = failed * 100 <= plan.settings.toleratedFailurePercentage * targets;
  return failure === undefined && tolerated && classes.every((one) => one.failure === undefined);
}

function checkedWords(machines: RunFacts['machines']): string {
  const checked = machines.flatMap(({ compliance }) => (compliance === undefined ? [] : [compliance]));
  const failing = checked.filter(({ failed }) => failed > 0).length;
  return `${checked.length} checked, ${failing} of them with rules that fail`;
}

function summaryOf({ plan, failure, classes, machines }: RunFacts, counts: ReportCounts): string {
  if (failure !== undefined) return `${failure.step} failed: ${failure.message}`;
  const { update, dryRun } = plan.settings;
  if (dryRun) {
    return `Dry run of "${update.name}": ${counts.targets} target(s) in ${counts.classes} class(es), ${counts.excluded} excluded; nothing was changed.`;
  }
  const isCheck = update.kind === 'compliance';
  const parts = [
    ...(isCheck
      ? [checkedWords(machines)]
      : [`${counts.patched} patched without being started`, `${counts.updatedOnline} updated online`]),
    ...(counts.upToDate > 0 ? [`${counts.upToDate} up to date already`] : []),
    ...(counts.notPatched > 0 ? [`${counts.notPatched} left alone`] : []),
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.rolledBack > 0 ? [`${counts.rolledBack} rolled back`] : []),
  ];
  const broken = classes.filter((one) => one.failure !== undefined).length;
  const classWords = broken > 0 ? ` ${broken} of ${classes.length} class(es) failed.` : '';
  const times = counts.onlineUpdates === 1 ? 'once' : `${counts.onlineUpdates} times`;
  const online = counts.onlineUpdates === 0 ? '' : ` It was run ${times} on a running system.`;
  return `Update "${update.name}" on ${counts.targets} target(s): ${parts.join(', ')}.${online}${classWords}`;
}
