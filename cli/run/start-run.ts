import { GetObjectCommand } from '@aws-sdk/client-s3';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { AwsClients } from './aws-clients';
import { RunDocuments } from './run-documents';
import { watchRun } from './watch-run';
import type { WriteReportOutput } from '../../core/workflow/payloads';
import { reportHtmlKey, reportKey, runPrefix } from '../../core/workflow/keys';

/** Where a deployment's parts are: the outputs of its stack. */
export interface Deployment {
  readonly patchFleetArn: string;
  readonly rollBackRunArn: string;
  readonly bucket: string;
}

export interface FinishedRun {
  readonly run: string;
  readonly status: string;
  /** Absent when the run did not get as far as a report. */
  readonly summary?: WriteReportOutput;
  readonly report?: unknown;
  readonly reportHtml?: string;
  readonly error?: { readonly name: string; readonly cause: string };
}

/** Starts a state machine of the deployment with the input a person would type, follows it, and fetches its report. */
export async function runAndWatch(
  clients: AwsClients,
  deployment: Deployment,
  stateMachineArn: string,
  input: Readonly<Record<string, unknown>>,
  name: string,
  tell: (line: string) => void,
): Promise<FinishedRun> {
  const documents = new RunDocuments(clients.s3, deployment.bucket);
  const run = typeof input.run === 'string' ? input.run : name;
  // A roll back writes into the documents of the run that it undoes.
  const known = await documents.keys(runPrefix(run));
  const { executionArn = '' } = await clients.sfn.send(
    new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
  );
  const execution = await watchRun(clients.sfn, documents, { executionArn, run, known }, tell);
  const present = new Set(await documents.keys(reportKey(run)));
  const report = present.has(reportKey(run)) ? await documents.json<unknown>(reportKey(run)) : undefined;
  return {
    run,
    status: execution.status ?? 'UNKNOWN',
    summary: execution.output === undefined ? undefined : (JSON.parse(execution.output) as WriteReportOutput),
    report,
    reportHtml:
      report === undefined ? undefined : await textOf(clients, deployment.bucket, reportHtmlKey(run)),
    error:
      execution.error === undefined
        ? undefined
        : { name: execution.error, cause: readableCause(execution.cause ?? '') },
  };
}

async function textOf(clients: AwsClients, bucket: string, key: string): Promise<string> {
  const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await Body?.transformToString()) ?? '';
}

/** The message of the error, where Step Functions gives a Lambda's error as JSON. */
function readableCause(cause: string): string {
  try {
    const { errorMessage } = JSON.parse(cause) as { errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : cause;
  } catch {
    // Not JSON: the cause of a Fail state is plain text.
    return cause;
  }
}

/** A name that says when the run was started; unique within the second. */
export function runName(prefix: string, now: Date): string {
  return `${prefix}-${now.toISOString().slice(0, 19).replace(/[:T]/g, '-')}`;
}
