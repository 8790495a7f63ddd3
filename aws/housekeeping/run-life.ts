import type { PlanDocument } from '../../core/workflow/documents';
import { planKey } from '../../core/workflow/keys';
import type { Services } from '../services';
import type { ExecutionReader } from '../states/executions';

export interface RunLife {
  readonly dead: boolean;
  /** Whether the bucket has the run's documents: without them nobody knows which volumes machines need. */
  readonly documented: boolean;
  readonly why: string;
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** A function that was at work when its execution was stopped may go on for 15 minutes; a lease lasts an hour. */
const GRACE_MS = HOUR_MS;

/**
 * A run that is not in this bucket may be one of another deployment in the account, with a bucket of its own. An update may
 * take two days and a run many rounds, but none makes nothing at all for so long and is still at work.
 */
const STRANGER_MS = 30 * DAY_MS;

/**
 * Whether a run has ended for good, so that what it made for itself is of no use any more.
 * @param newestAt when it made the youngest thing that is there
 */
export async function lifeOf(
  { documents, now }: Services,
  executions: ExecutionReader,
  run: string,
  newestAt: number,
): Promise<RunLife> {
  const time = now().getTime();
  const plan = await documents.find<PlanDocument>(planKey(run));
  if (plan === undefined) {
    const dead = time - newestAt > STRANGER_MS;
    const why = dead
      ? 'it has no plan in this bucket, and has made nothing for 30 days'
      : 'it has no plan in this bucket and may be of another deployment; it is swept after 30 days';
    return { dead, documented: false, why };
  }
  const execution = await executions.find(plan.execution.id);
  if (execution === undefined) {
    const dead = time - Date.parse(plan.startedAt) > DAY_MS;
    return { dead, documented: true, why: 'Step Functions does not know its execution any more' };
  }
  const { status, endedAt } = execution;
  if (status === 'RUNNING' || status === 'PENDING_REDRIVE' || endedAt === undefined) {
    return { dead: false, documented: true, why: `its execution is ${status}` };
  }
  const dead = time - endedAt.getTime() > GRACE_MS;
  return { dead, documented: true, why: `its execution is ${status} since ${endedAt.toISOString()}` };
}
