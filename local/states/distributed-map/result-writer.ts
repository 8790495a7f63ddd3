import type { ResultWriter } from '../definition/definition';
import { isJsonObject, type Json, type JsonObject } from '../json';
import { queryError } from '../jsonata/evaluate';
import { StatesError } from '../states-error';
import type { Visit } from '../visit';
import { describeChild, kindOf, type ChildResult, type ResultKind } from './child-result';
import type { MapRun } from './map-run';

/**
 * Writes the result files of a Map Run and their manifest to S3 and gives the state's output (developer guide,
 * "ResultWriter"). A writer without a destination only transforms the output.
 * @throws StatesError States.ResultWriterFailed when S3 refuses.
 */
export async function writeResults(
  writer: ResultWriter,
  visit: Visit,
  mapRun: MapRun,
  results: readonly ChildResult[],
): Promise<Json> {
  const { Transformation = 'NONE', OutputType = 'JSON' } = writer.WriterConfig ?? {};
  if (writer.Resource === undefined) {
    return transform(
      results.filter((result) => kindOf(result) === 'SUCCEEDED'),
      Transformation,
    );
  }
  const { bucket, folder } = await destination(writer, visit, mapRun);
  const files: Record<ResultKind, JsonObject[]> = { FAILED: [], PENDING: [], SUCCEEDED: [] };
  for (const kind of ['SUCCEEDED', 'FAILED', 'PENDING'] as const) {
    const chosen = results.filter((result) => kindOf(result) === kind);
    if (chosen.length === 0) continue;
    const entries = transform(chosen, kind === 'SUCCEEDED' ? Transformation : 'NONE');
    const lines = OutputType === 'JSONL';
    const body = Buffer.from(
      lines ? entries.map((entry) => `${JSON.stringify(entry)}\n`).join('') : JSON.stringify(entries),
    );
    const key = `${folder}${kind}_0.${lines ? 'jsonl' : 'json'}`;
    await put(visit, bucket, key, body);
    files[kind].push({ Key: key, Size: body.length });
  }
  const manifest = {
    DestinationBucket: bucket,
    MapRunArn: mapRun.document.mapRunArn,
    ResultFiles: files,
  };
  const key = `${folder}manifest.json`;
  await put(visit, bucket, key, Buffer.from(JSON.stringify(manifest)));
  return { MapRunArn: mapRun.document.mapRunArn, ResultWriterDetails: { Bucket: bucket, Key: key } };
}

async function destination(writer: ResultWriter, visit: Visit, mapRun: MapRun) {
  const address = await visit.evaluate(writer.Arguments ?? {}, 'ResultWriter/Arguments');
  if (!isJsonObject(address) || typeof address['Bucket'] !== 'string')
    throw queryError('ResultWriter needs a Bucket.', 'ResultWriter/Arguments');
  const prefix = typeof address['Prefix'] === 'string' ? address['Prefix'] : '';
  const folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  return { bucket: address['Bucket'], folder: `${folder}${mapRun.id}/` };
}

function transform(results: readonly ChildResult[], transformation: string): Json[] {
  if (transformation === 'NONE') return results.map(describeChild);
  const outputs = results.map(({ child }) => JSON.parse(child?.output ?? 'null') as Json);
  return transformation === 'FLATTEN' ? outputs.flat() : outputs;
}

async function put(visit: Visit, bucket: string, key: string, body: Buffer): Promise<void> {
  try {
    await visit.services.objects.put(bucket, key, body);
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new StatesError('States.ResultWriterFailed', `Writing s3://${bucket}/${key} failed. ${reason}`);
  }
}
