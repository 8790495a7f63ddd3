import type { FailureDocument } from '../../core/workflow/documents';
import { classFailureKey, classFailuresPrefix, failureKey, runFailureKey } from '../../core/workflow/keys';
import type { CaughtError, RecordFailureInput, RecordFailureOutput } from '../../core/workflow/payloads';
import type { Services } from '../services';

/** Keeps the first failure of a machine, a class or the run: what follows it is its consequence. */
export async function recordFailure(
  services: Services,
  { run, instanceId, classId, step, error }: RecordFailureInput,
): Promise<RecordFailureOutput> {
  const key =
    instanceId !== undefined
      ? failureKey(run, instanceId)
      : classId !== undefined
        ? classFailureKey(run, classId)
        : runFailureKey(run);
  const document: FailureDocument = {
    step,
    ...readCause(error),
    cause: { Error: error.Error, Cause: error.Cause?.slice(0, 20_000) },
    at: services.now().toISOString(),
  };
  await services.documents.writeIf(key, document, 'absent');
  if (instanceId !== undefined && classId !== undefined) {
    await services.documents.write(`${classFailuresPrefix(run, classId)}${instanceId}`, { instanceId });
  }
  return { failureKey: key };
}

/**
 * The name and message in what a Catch got. A Lambda's error is JSON `{errorType, errorMessage}`; a failed execution's is
 * `{Error, Cause}`, whose cause can be such JSON again; anything else is text.
 */
export function readCause({ Error: name, Cause: cause }: CaughtError): { error: string; message: string } {
  const parsed = parseObject(cause);
  if (parsed !== undefined && typeof parsed['errorMessage'] === 'string') {
    return { error: String(parsed['errorType'] ?? name), message: parsed['errorMessage'] };
  }
  if (parsed !== undefined && typeof parsed['Cause'] === 'string') {
    return readCause({ Error: String(parsed['Error'] ?? name), Cause: parsed['Cause'] });
  }
  return { error: name ?? 'UnknownError', message: cause ?? 'No cause was given.' };
}

function parseObject(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined || !text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not JSON: Step Functions cuts long causes, and messages may begin with a brace. It is shown as text.
    return undefined;
  }
}
