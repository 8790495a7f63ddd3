import { SNAPSHOT_BLOCK_BYTES } from '../block-device/block-device';
import { addUsage, costOf, type Usage } from './prices';

type OnlineKind = 'live' | 'clone';

/** As far as the cost depends on it. */
export interface EstimatedClass {
  readonly members: readonly string[];
  /** `recorded`: an earlier run captured what the update does, and it is not run. */
  readonly representative: { readonly instanceId: string; readonly kind: OnlineKind | 'recorded' };
  readonly witness?: { readonly instanceId: string; readonly kind: OnlineKind };
}

export interface EstimateInput {
  readonly classes: readonly EstimatedClass[];
  /** What is known of each target after profiling. */
  readonly targets: readonly EstimatedTarget[];
  /** Days for which a replaced volume is kept. */
  readonly retainDays: number;
}

export interface EstimatedTarget {
  readonly instanceId: string;
  /** Sum of the sizes of its volumes. */
  readonly volumeBytes: number;
  /** Blocks that its profile read (GetSnapshotBlock calls). */
  readonly profileBlocks: number;
  /** Blocks of its snapshots that were ever written. */
  readonly snapshotBlocks: number;
}

/** What a run would use and cost, before anything is written. */
export interface RunEstimate {
  readonly instances: number;
  readonly classes: number;
  /** How often the update would be run on a running system. */
  readonly onlineUpdates: number;
  /** How many stopped instances would be patched offline, if all match. */
  readonly offlinePatches: number;
  readonly usage: Usage;
  readonly costUsd: number;
  readonly parts: readonly { readonly what: string; readonly usage: Usage; readonly costUsd: number }[];
  /** What the figures rest on, for people. */
  readonly assumptions: readonly string[];
}

/**
 * The reference update: the security updates of Debian 12 on an 8 GiB volume changed 83 blocks of 512 KiB (981 files,
 * 32 MB). Reading is what touches metadata and what is replaced.
 */
const CHANGED_BLOCKS = 83;
const BLOCKS_READ_TO_MATCH = 80;
const BLOCKS_READ_TO_APPLY = 120;
const BLOCKS_READ_TO_VERIFY = 80;
/** Both sides of a representative: inode tables, directories, what changed. */
const BLOCKS_READ_TO_CAPTURE = 500;

/** ListSnapshotBlocks gives up to 10,000 blocks a call. */
const BLOCKS_A_LIST_CALL = 10_000;

const LAMBDA_GB = 2;
const SECONDS = { snapshot: 6, profile: 6, match: 8, apply: 20, capture: 30, control: 2 };
/** Of each state machine, waits included. */
const TRANSITIONS = { run: 20, profile: 12, class: 25, update: 35, match: 4, patch: 40 };
/** A clone boots, is updated and is terminated. */
const CLONE_HOURS = 0.25;
const DAYS_A_MONTH = 30;
const GB = 1024 ** 3;

/** Estimates a run by what profiling read and by the figures of the reference update. */
export function estimateRun({ classes, targets, retainDays }: EstimateInput): RunEstimate {
  const byId = new Map(targets.map((target) => [target.instanceId, target]));
  const members = classes.flatMap((found) => found.members);
  const listCalls = (instanceIds: readonly string[]): number =>
    instanceIds.reduce(
      (sum, id) => sum + Math.max(1, Math.ceil((byId.get(id)?.snapshotBlocks ?? 0) / BLOCKS_A_LIST_CALL)),
      0,
    );
  const captured = classes.filter(({ representative }) => representative.kind !== 'recorded');
  const online = captured.flatMap(({ representative, witness }) =>
    witness === undefined ? [representative] : [representative, witness],
  );
  const clones = online.filter(({ kind }) => kind === 'clone');

  const profile: Partial<Usage> = {
    listSnapshotBlocksCalls: listCalls([...byId.keys()]),
    getSnapshotBlocks: targets.reduce((sum, { profileBlocks }) => sum + profileBlocks, 0),
    lambdaGbSeconds: targets.length * LAMBDA_GB * (SECONDS.snapshot + SECONDS.profile),
    lambdaRequests: targets.length * 4,
    stateTransitions: TRANSITIONS.run + targets.length * TRANSITIONS.profile,
  };
  const capture: Partial<Usage> = {
    listSnapshotBlocksCalls: 2 * listCalls(online.map(({ instanceId }) => instanceId)),
    getSnapshotBlocks: online.length * BLOCKS_READ_TO_CAPTURE,
    lambdaGbSeconds: LAMBDA_GB * (captured.length * SECONDS.capture + online.length * 10 * SECONDS.control),
    lambdaRequests: captured.length + online.length * 19,
    stateTransitions: classes.length * TRANSITIONS.class + online.length * TRANSITIONS.update,
    cloneInstanceHours: clones.length * CLONE_HOURS,
  };
  const match: Partial<Usage> = {
    listSnapshotBlocksCalls: listCalls(members),
    getSnapshotBlocks: members.length * BLOCKS_READ_TO_MATCH,
    lambdaGbSeconds: members.length * LAMBDA_GB * SECONDS.match,
    lambdaRequests: members.length,
    stateTransitions: members.length * TRANSITIONS.match,
  };
  const apply: Partial<Usage> = {
    listSnapshotBlocksCalls: 2 * listCalls(members),
    getSnapshotBlocks: members.length * (BLOCKS_READ_TO_APPLY + BLOCKS_READ_TO_VERIFY),
    putSnapshotBlocks: members.length * CHANGED_BLOCKS,
    lambdaGbSeconds: members.length * LAMBDA_GB * (SECONDS.apply + 8 * SECONDS.control),
    lambdaRequests: members.length * 12,
    stateTransitions: members.length * TRANSITIONS.patch,
  };
  const months = retainDays / DAYS_A_MONTH;
  const keep: Partial<Usage> = {
    gp3GbMonths: members.reduce((sum, id) => sum + (byId.get(id)?.volumeBytes ?? 0) / GB, 0) * months,
    snapshotGbMonths: ((members.length * CHANGED_BLOCKS * SNAPSHOT_BLOCK_BYTES) / GB) * months,
  };

  const parts = Object.entries({
    'profile every target': profile,
    'run the update and capture': capture,
    'match the members': match,
    'patch the members': apply,
    [`keep old volumes and new snapshots for ${retainDays} days`]: keep,
  }).map(([what, usage]) => ({ what, usage: addUsage(usage), costUsd: costOf(usage) }));
  const usage = addUsage(...parts.map((part) => part.usage));
  return {
    instances: targets.length,
    classes: classes.length,
    onlineUpdates: online.length,
    offlinePatches: members.length,
    usage,
    costUsd: costOf(usage),
    parts,
    assumptions: [
      `the update changes ${CHANGED_BLOCKS} blocks of 512 KiB on each machine, as the security updates of Debian 12 did`,
      'every member matches; each further round costs more online updates and its matching',
      'prices of us-east-1, free allowances not taken off; instances that run anyway cost nothing more',
    ],
  };
}
