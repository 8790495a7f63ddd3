import type { MapItem } from '../branch';
import type { MapState } from '../definition/definition';
import { isJsonObject, type Json } from '../json';
import { queryError } from '../jsonata/evaluate';
import type { Visit } from '../visit';

/** The items that Items (or the state's input) gives. An object's members are items too, each with its key. */
export async function itemsOfState(state: MapState, visit: Visit, source?: string): Promise<MapItem[]> {
  const items = state.Items === undefined ? visit.input : await visit.evaluate(state.Items, 'Items');
  if (Array.isArray(items)) return items.map((value, index) => ({ index, value, source }));
  if (isJsonObject(items))
    return Object.entries(items).map(([key, value], index) => ({ index, key, value, source }));
  throw queryError(`The field 'Items' must give an array or an object.`, 'Items');
}

/** What the iteration or child of an item gets as its input. */
export const selectItem = (state: MapState, visit: Visit, item: MapItem): Promise<Json> =>
  state.ItemSelector === undefined
    ? Promise.resolve(item.value)
    : visit.evaluate(state.ItemSelector, 'ItemSelector', {}, item);
