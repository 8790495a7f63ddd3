import { readText } from '../image/follow-links';
import type { Image } from '../image/image';
import { type PointOfVariation, pointsOfVariation } from './points-of-variation';

/** All by which one machine may differ from another that is still of its class: its values, and its numbers of accounts. */
export interface Variation {
  readonly points: readonly PointOfVariation[];
  readonly users: AccountNames;
  readonly groups: AccountNames;
}

/** Of passwd(5) or group(5); where a number has several names, or a name several numbers, the first counts. */
export interface AccountNames {
  readonly nameOf: ReadonlyMap<number, string>;
  readonly idOf: ReadonlyMap<string, number>;
}

export async function variationOf(image: Image): Promise<Variation> {
  return {
    points: await pointsOfVariation(image),
    users: accountNames(await readText(image, '/etc/passwd')),
    groups: accountNames(await readText(image, '/etc/group')),
  };
}

/** Lines that are none of accounts are passed over. */
function accountNames(text = ''): AccountNames {
  const nameOf = new Map<number, string>();
  const idOf = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, , digits, next] = line.split(':');
    if (!name || next === undefined || !/^\d{1,10}$/.test(digits ?? '') || /^[#+-]/.test(name)) continue;
    const id = Number(digits);
    if (!nameOf.has(id)) nameOf.set(id, name);
    if (!idOf.has(name)) idOf.set(name, id);
  }
  return { nameOf, idOf };
}
