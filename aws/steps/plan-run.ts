import { createHash } from 'node:crypto';
import { Value } from '@sinclair/typebox/value';
import type { FailureDocument, PlanDocument } from '../../core/workflow/documents';
import { NoTargetsError } from '../../core/workflow/errors';
import { planKey, runFailureKey, targetKey, targetsKey } from '../../core/workflow/keys';
import type { PlanRunInput, PlanRunOutput } from '../../core/workflow/payloads';
import { parseRunInput } from '../../core/workflow/run-input';
import { UpdatesDocument } from '../../core/workflow/updates-document';
import { discoverTargets } from '../ec2/discover-targets';
import { DocumentStore } from '../s3/document-store';
import type { Services } from '../services';
import { rememberedManifests } from './remembered-manifests';

/** Class executions are named for the run and the class, in 80 characters. */
const MAX_RUN_LENGTH = 44;

/** Documents written at once. */
const BATCH = 50;

/**
 * Checks the input, finds the targets and freezes both in the bucket. A run that finds no target goes on to its report,
 * which says so and fails.
 *
 * @param updates where the deployment's updates lie
 * @throws InvalidRunInputError, UnknownUpdateError
 */
export async function planRun(
  services: Services,
  { input, execution }: PlanRunInput,
  updates: { readonly bucket: string; readonly key: string },
): Promise<PlanRunOutput> {
  const { documents, ec2 } = services;
  const deployed = await new DocumentStore(services.s3, updates.bucket).read<unknown>(updates.key);
  const settings = parseRunInput(input, Value.Parse(UpdatesDocument, deployed));
  const run = runName(execution.name);
  const startedAt = services.now().toISOString();
  const { targets, excluded } = await discoverTargets(ec2, settings.targets);
  for (let from = 0; from < targets.length; from += BATCH) {
    const batch = targets.slice(from, from + BATCH);
    await Promise.all(batch.map((target) => documents.write(targetKey(run, target.instanceId), target)));
  }
  await documents.writeLines(
    targetsKey(run),
    targets.map(({ instanceId }) => ({ run, instanceId })),
  );
  const plan: PlanDocument = {
    formatVersion: 1,
    run,
    execution,
    startedAt,
    settings,
    targetCount: targets.length,
    excluded,
    remembered: await rememberedManifests(documents, settings),
  };
  await documents.write(planKey(run), plan);
  if (targets.length === 0) {
    const error = new NoTargetsError(
      excluded.length,
      excluded.map(({ instanceId, reason }) => `${instanceId}: ${reason}`),
    );
    const failure: FailureDocument = {
      step: 'Plan run',
      error: error.name,
      message: error.message,
      nextStep: error.nextStep,
      at: services.now().toISOString(),
    };
    await documents.write(runFailureKey(run), failure);
  }
  return {
    run,
    update: settings.update.name,
    dryRun: settings.dryRun,
    maxConcurrency: settings.maxConcurrency,
    toleratedFailurePercentage: settings.toleratedFailurePercentage,
    maxRounds: settings.maxRounds,
    targetCount: targets.length,
    targetsKey: targetsKey(run),
  };
}

/** The execution's name as a part of keys, tags and names of other executions. */
export function runName(executionName: string): string {
  const safe = executionName.replace(/[^A-Za-z0-9_-]/g, '-').replace(/^[-_]+/, '') || 'run';
  if (safe === executionName && safe.length <= MAX_RUN_LENGTH) return safe;
  const digest = createHash('sha256').update(executionName).digest('hex').slice(0, 8);
  return `${safe.slice(0, MAX_RUN_LENGTH - 9)}-${digest}`;
}
