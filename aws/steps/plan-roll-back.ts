import type { SwapDocument } from '../../core/workflow/documents';
import { machinesPrefix, rollBackItemsKey, swapKey } from '../../core/workflow/keys';
import type { MachineItem, PlanRollBackInput, PlanRollBackOutput } from '../../core/workflow/payloads';
import { parseRollBackInput } from '../../core/workflow/run-input';
import type { Services } from '../services';

/**
 * Lists the machines of a run whose volumes were exchanged, wholly or half, and are not back yet.
 * @throws InvalidRunInputError
 */
export async function planRollBack(
  { documents }: Services,
  { input }: PlanRollBackInput,
): Promise<PlanRollBackOutput> {
  const { run, instanceIds } = parseRollBackInput(input);
  const swapped = (await documents.list(machinesPrefix(run)))
    .map((key) => /\/machines\/([^/]+)\/swap\.json$/.exec(key)?.[1])
    .filter((instanceId) => instanceId !== undefined)
    .filter((instanceId) => instanceIds === undefined || instanceIds.includes(instanceId));
  const items: MachineItem[] = [];
  for (const instanceId of swapped) {
    const { direction, done } = await documents.read<SwapDocument>(swapKey(run, instanceId));
    if (direction === 'forward' || !done) items.push({ run, instanceId });
  }
  const itemsKey = rollBackItemsKey(run);
  await documents.writeLines(itemsKey, items);
  return { run, itemCount: items.length, itemsKey };
}
