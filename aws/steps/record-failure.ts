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
 * The name and message in what a Catch got. A Lambda's error is JSON `{errorType, errorMessage}`, a failed execution's
 * `{Error, Cause}`; a Fail state's cause is text that may end in such JSON, and may be cut. What stands before it is kept.
 */
export function readCause({ Error: name, Cause: cause }: CaughtError): { error: string; message: string } {
  if (cause === undefined) return { error: name ?? 'UnknownError', message: 'No cause was given.' };
  const execution = parseObject(cause);
  if (typeof execution?.['Cause'] === 'string') {
    return readCause({ Error: String(execution['Error'] ?? name), Cause: execution['Cause'] });
  }
  const thrown = /\{"errorType":"([^"]*)","errorMessage":"((?:[^"\\]|\\.)*)"?/.exec(cause);
  if (thrown === null) return { error: name ?? 'UnknownError', message: cause };
  const [, error, message] = thrown;
  return { error: error!, message: cause.slice(0, thrown.index) + unescaped(message!) };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not JSON: Step Functions cuts long causes, and messages may begin with a brace. It is shown as text.
    return undefined;
  }
}

/** The text of a JSON string; a cut can leave half an escape at its end. */
function unescaped(text: string): string {
  const whole = text.replace(/\\(u[0-9a-f]{0,3})?$/i, '');
  return JSON.parse(`"${whole}"`) as string;
}
