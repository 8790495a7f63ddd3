import type { MapItem } from '../branch';
import type { ItemReader } from '../definition/definition';
import { isJsonObject, type Json } from '../json';
import { queryError } from '../jsonata/evaluate';
import { StatesError } from '../states-error';
import type { Visit } from '../visit';

/**
 * Reads the items of a Distributed Map from an S3 object: a JSON array, or JSON Lines.
 * @throws StatesError States.ItemReaderFailed when the object cannot be read or is not what InputType says.
 */
export async function readItems(reader: ItemReader, visit: Visit): Promise<MapItem[]> {
  const { bucket, key } = await objectAddress(reader, visit);
  const { InputType, MaxItems } = reader.ReaderConfig ?? {};
  const most = await visit.number(MaxItems, 'ItemReader/ReaderConfig/MaxItems');
  let body: Buffer;
  try {
    body = await visit.services.objects.get(bucket, key);
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new StatesError('States.ItemReaderFailed', `Reading s3://${bucket}/${key} failed. ${reason}`);
  }
  const values = parse(body, InputType, `s3://${bucket}/${key}`);
  const source = `s3://${bucket}/${key}`;
  return (most ? values.slice(0, most) : values).map((value, index) => ({ index, value, source }));
}

async function objectAddress(reader: ItemReader, visit: Visit): Promise<{ bucket: string; key: string }> {
  const address = await visit.evaluate(reader.Arguments ?? {}, 'ItemReader/Arguments');
  if (!isJsonObject(address) || typeof address['Bucket'] !== 'string' || typeof address['Key'] !== 'string')
    throw queryError('ItemReader needs a Bucket and a Key, both strings.', 'ItemReader/Arguments');
  return { bucket: address['Bucket'], key: address['Key'] };
}

function parse(body: Buffer, type: string | undefined, address: string): Json[] {
  try {
    if (type === 'JSONL') return jsonLines(body.toString());
    const items = JSON.parse(body.toString()) as Json;
    if (Array.isArray(items)) return items;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StatesError('States.ItemReaderFailed', `${address} is not valid ${type ?? 'JSON'}: ${reason}`);
  }
  throw new StatesError('States.ItemReaderFailed', `Attempting to map over non-iterable node in ${address}.`);
}

const jsonLines = (text: string): Json[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Json);
