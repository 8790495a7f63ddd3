import type { Usage } from '../workflow/documents';
import { type CostFacts, sumUsage } from './cost';
import type { RunFacts } from './run-facts';

/**
 * What one machine takes, for the estimate of a dry run: measured on the reference fleet (Debian 12 on 8 GiB volumes, a
 * month of security updates, about 1,000 files).
 */
const PER_MEMBER: Usage = {
  listCalls: 4,
  getBlocks: 250,
  putBlocks: 100,
  bytesRead: 250 * 524_288,
  bytesWritten: 100 * 524_288,
};
const PER_MEMBER_SECONDS = 20;
/** A capture reads metadata of two snapshots, and what changed. */
const PER_CLASS: Usage = {
  listCalls: 4,
  getBlocks: 400,
  putBlocks: 0,
  bytesRead: 400 * 524_288,
  bytesWritten: 0,
};
const PER_CLASS_SECONDS = 40;

/** What the classes of a dry run would still take, if every member matched. */
export function estimateRun({ classes, machines, plan }: RunFacts): CostFacts {
  const members = new Set(classes.flatMap((one) => one.members));
  const sizes = machines
    .filter(({ target }) => members.has(target.instanceId))
    .map(({ target }) => target.volumes.find(({ isRoot }) => isRoot)?.attributes.sizeGib ?? 0);
  return {
    usage: sumUsage([
      ...Array.from({ length: members.size }, () => PER_MEMBER),
      ...classes.map(() => PER_CLASS),
    ]),
    blockStepSeconds: members.size * PER_MEMBER_SECONDS + classes.length * PER_CLASS_SECONDS,
    machines: members.size,
    keptGib: sizes.reduce((sum, size) => sum + size, 0),
    retainDays: plan.settings.retainDays,
  };
}
