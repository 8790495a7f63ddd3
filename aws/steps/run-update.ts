import { parseCheckOutput } from '../../core/compliance/parse-check-output';
import { documentParameters } from '../../core/update/document-update';
import {
  DEFAULT_COMPLIANCE_TYPE,
  DEFAULT_UPDATE_TIMEOUT_SECONDS,
  type Update,
} from '../../core/update/update';
import { updateScript } from '../../core/update/update-script';
import type { ClassUpdateDocument, ComplianceDocument, PlanDocument } from '../../core/workflow/documents';
import { classUpdateKey, complianceKey, planKey, updateOutputPrefix } from '../../core/workflow/keys';
import type {
  CheckUpdateInput,
  CheckUpdateOutput,
  StartUpdateInput,
  StartUpdateOutput,
} from '../../core/workflow/payloads';
import type { Services } from '../services';
import { commandState, type CommandWork, documentState, sendCommandOnce } from '../ssm/run-command';
import { recordedCommands } from './recordings';
import { UpdateFailedError } from './step-errors';

/** Characters of output that a report shows. */
const TAIL = 4_000;

/** Starts the update on a representative or a witness, once. */
export async function startUpdate(
  services: Services,
  { run, classId, instanceId }: StartUpdateInput,
  recorder: string,
): Promise<StartUpdateOutput> {
  const { documents, now } = services;
  const key = classUpdateKey(run, classId, instanceId);
  const known = await documents.find<ClassUpdateDocument>(key);
  if (known !== undefined) return { commandId: known.commandId };
  const { update } = (await documents.read<PlanDocument>(planKey(run))).settings;
  const outputPrefix = updateOutputPrefix(run, classId);
  const startedAt = now().toISOString();
  const { notRecorded, ...work } = await workOf(services, { run, classId, instanceId, update, recorder });
  const commandId = await sendCommandOnce(services, {
    ...work,
    instanceId,
    comment: `imageelves ${run} ${classId}: update`,
    output: { bucket: documents.bucket, prefix: outputPrefix },
  });
  const document: ClassUpdateDocument = {
    classId,
    instanceId,
    commandId,
    status: 'Pending',
    ...(notRecorded !== undefined && { notRecorded }),
    outputPrefix,
    startedAt,
  };
  await documents.write(key, document);
  return { commandId };
}

interface WorkRequest {
  readonly run: string;
  readonly classId: string;
  readonly instanceId: string;
  readonly update: Update;
  readonly recorder: string;
}

async function workOf(
  services: Services,
  { update, run, ...where }: WorkRequest,
): Promise<CommandWork & { readonly notRecorded?: string }> {
  if (update.kind === 'document') {
    const { name, version } = update.document;
    return {
      document: { name, version, parameters: documentParameters(update.document, run) },
      notRecorded: `The update is the document ${name}, which runs without the recorder.`,
    };
  }
  const timeoutSeconds = update.timeoutSeconds ?? DEFAULT_UPDATE_TIMEOUT_SECONDS;
  return recordedCommands(services, { ...where, run, commands: updateScript(update), timeoutSeconds });
}

/**
 * Whether it has ended; what a check found is kept.
 *
 * @throws UpdateFailedError when it ended without success
 * @throws ComplianceOutputError when what a check printed is no result
 */
export async function checkUpdate(
  { documents, ssm, now }: Services,
  { run, classId, instanceId, commandId }: CheckUpdateInput,
): Promise<CheckUpdateOutput> {
  const { update } = (await documents.read<PlanDocument>(planKey(run))).settings;
  const stateOf = update.kind === 'document' ? documentState : commandState;
  const state = await stateOf(ssm, commandId, instanceId);
  if (!state.ended) return { done: false, status: state.status };
  const key = classUpdateKey(run, classId, instanceId);
  const known = await documents.read<ClassUpdateDocument>(key);
  const outputTail = [state.output, state.errorOutput].filter(Boolean).join('\n').slice(-TAIL);
  const document: ClassUpdateDocument = {
    ...known,
    status: state.status,
    exitCode: state.exitCode,
    outputTail,
    endedAt: now().toISOString(),
  };
  await documents.write(key, document);
  if (!state.succeeded) {
    const outputKey = `s3://${documents.bucket}/${known.outputPrefix}`;
    throw new UpdateFailedError(instanceId, state.status, state.exitCode, outputTail, outputKey);
  }
  if (update.kind === 'compliance') {
    const found: ComplianceDocument = {
      checkedOn: instanceId,
      checkedAt: document.endedAt!,
      complianceType: update.complianceType ?? DEFAULT_COMPLIANCE_TYPE,
      result: parseCheckOutput(state.output),
    };
    await documents.write(complianceKey(run, classId), found);
  }
  return { done: true, status: state.status };
}
