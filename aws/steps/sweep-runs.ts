import type { LeaseDocument, SweepDocument } from '../../core/workflow/documents';
import { leaseKey, sweepKey } from '../../core/workflow/keys';
import type { SweepRunsInput, SweepRunsOutput } from '../../core/workflow/payloads';
import { housekeepingHolder } from '../housekeeping/delete-volume';
import { problemOf, SweepFailedError } from '../housekeeping/housekeeping-errors';
import { findLeftovers, type Leftovers } from '../housekeeping/leftovers';
import { lifeOf, type RunLife } from '../housekeeping/run-life';
import { sweepNewVolumes } from '../housekeeping/sweep-new-volumes';
import type { Services } from '../services';
import type { ExecutionReader } from '../states/executions';
import { cleanUpRun } from './clean-up';

/** What is found of the runs, as it goes into the document. */
type Findings = { readonly [Key in keyof Omit<SweepDocument, 'startedAt' | 'endedAt'>]: Unfrozen<Key> };
type Unfrozen<Key extends keyof SweepDocument> = SweepDocument[Key] extends readonly (infer Item)[]
  ? Item[]
  : never;

/**
 * Removes what runs made for themselves that ended without a clean-up: clones with their images, snapshots, and new volumes
 * that never came to their machine. A machine that such a run left between two volumes is not touched but named, with what
 * roll-back-run takes to end it. Leases need no sweep: they expire, and the next run takes them over.
 *
 * @throws SweepFailedError at the end, naming what could not be removed and what needs a person
 */
export async function sweepRuns(
  services: Services,
  executions: ExecutionReader,
  { execution }: SweepRunsInput,
  hasTime: () => boolean,
): Promise<SweepRunsOutput> {
  const { documents, now } = services;
  const documentKey = sweepKey(execution);
  const earlier = await documents.find<SweepDocument>(documentKey);
  const startedAt = earlier?.startedAt ?? now().toISOString();
  const findings: Findings = {
    swept: [...(earlier?.swept ?? [])],
    left: [],
    leftVolumes: [],
    unfinishedSwaps: [],
    failed: [],
  };

  let done = true;
  for (const [run, leftovers] of await findLeftovers(services)) {
    if (!hasTime()) {
      done = false;
      break;
    }
    try {
      const life = await lifeOf(services, executions, run, leftovers.newestAt);
      if (!life.dead) findings.left.push({ run, why: life.why });
      else if (!(await sweepRun(services, run, leftovers, life, execution.name, findings))) done = false;
    } catch (error) {
      findings.failed.push({ run, problem: problemOf(error) });
    }
  }

  const document: SweepDocument = { startedAt, endedAt: now().toISOString(), ...findings };
  await documents.write(documentKey, document);
  if (done && findings.failed.length + findings.unfinishedSwaps.length > 0) {
    throw new SweepFailedError(document, documentKey);
  }
  return { done, documentKey, sweptRuns: findings.swept.length, left: findings.left.length };
}

/** False while clones are shutting down. */
async function sweepRun(
  services: Services,
  run: string,
  leftovers: Leftovers,
  { why, documented }: RunLife,
  execution: string,
  findings: Findings,
): Promise<boolean> {
  for (const instanceId of leftovers.unfinished) {
    if (await isLeased(services, instanceId)) {
      findings.left.push({ run, why: `${instanceId} is leased: a roll back may be at work` });
    } else {
      const rollBackInput = { run, instanceIds: [instanceId] };
      findings.unfinishedSwaps.push({ run, instanceId, rollBackInput });
    }
  }
  const volumes = await sweepNewVolumes(services, {
    run,
    newVolumes: leftovers.newVolumes,
    documented,
    holder: housekeepingHolder(execution),
  });
  findings.leftVolumes.push(...volumes.left);
  const cleaned = leftovers.temporary ? await cleanUpRun(services, { run }) : NOTHING;
  const { terminatedClones, deletedSnapshots, done } = cleaned;
  if (volumes.removed.length + terminatedClones + deletedSnapshots > 0) {
    const at = findings.swept.findIndex((one) => one.run === run);
    const before = findings.swept[at];
    findings.swept.splice(at === -1 ? findings.swept.length : at, 1, {
      run,
      why,
      // Of the clones each invocation counts all, those that shut down included.
      terminatedClones: Math.max(before?.terminatedClones ?? 0, terminatedClones),
      deletedSnapshots: (before?.deletedSnapshots ?? 0) + deletedSnapshots,
      removedVolumes: [...(before?.removedVolumes ?? []), ...volumes.removed],
    });
  }
  for (const { volumeId, problem } of volumes.failed) {
    findings.failed.push({ run, problem: `${volumeId}: ${problem}` });
  }
  return done;
}

const NOTHING = { terminatedClones: 0, deletedSnapshots: 0, done: true };

async function isLeased({ documents, now }: Services, instanceId: string): Promise<boolean> {
  const lease = await documents.find<LeaseDocument>(leaseKey(instanceId));
  return lease !== undefined && Date.parse(lease.expiresAt) > now().getTime();
}
