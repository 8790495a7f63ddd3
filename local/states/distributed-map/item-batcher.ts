import type { ItemBatcher } from '../definition/definition';
import type { Json, JsonObject } from '../json';
import { MAX_PAYLOAD_BYTES } from '../payload-limit';
import type { Visit } from '../visit';

/** The input of one child, and how many items it stands for. */
export interface Batch {
  readonly input: Json;
  readonly itemCount: number;
}

/** Groups items into children, by number and by bytes, whichever is reached first. */
export async function batchItems(
  batcher: ItemBatcher | undefined,
  items: Json[],
  visit: Visit,
): Promise<Batch[]> {
  if (!batcher) return items.map((input) => ({ input, itemCount: 1 }));
  const bounds = { minimum: 1 };
  const mostItems = await visit.number(batcher.MaxItemsPerBatch, 'ItemBatcher/MaxItemsPerBatch', bounds);
  const mostBytes = await visit.number(
    batcher.MaxInputBytesPerBatch,
    'ItemBatcher/MaxInputBytesPerBatch',
    bounds,
  );
  const shared: JsonObject =
    batcher.BatchInput === undefined
      ? {}
      : { BatchInput: await visit.evaluate(batcher.BatchInput, 'ItemBatcher/BatchInput') };
  const room = Math.min(mostBytes ?? MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES) - sizeOf({ ...shared, Items: [] });
  const groups: Json[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = sizeOf(item) + 1;
    const current = groups.at(-1);
    if (current && current.length < (mostItems ?? Infinity) && bytes + size <= room) {
      current.push(item);
      bytes += size;
    } else {
      groups.push([item]);
      bytes = size;
    }
  }
  return groups.map((Items) => ({ input: { ...shared, Items }, itemCount: Items.length }));
}

const sizeOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value));
