import type { Image } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import type { Difference } from '../match/difference';
import type { Variation } from '../variation/variation';
import type { AccountIdMap, AccountIds } from './account-ids';
import { readIdRanges } from './id-ranges';
import { numberBy } from './number-rules';

type Account = NonNullable<Manifest['accounts']>[number];

/**
 * This machine's numbers for the accounts of a manifest: those that it has, and for those that the update makes the ones
 * that the tool would choose here. Where that is not sure, the machine does not match.
 */
export async function assignNumbers(
  accounts: readonly Account[],
  image: Image,
  { users, groups }: Pick<Variation, 'users' | 'groups'>,
): Promise<{ ids: AccountIdMap; differences: Difference[] }> {
  const ids = { users: new Map<number, number>(), groups: new Map<number, number>() };
  const differences: Difference[] = [];
  if (accounts.length === 0) return { ids, differences };
  const ranges = await readIdRanges(image);
  const taken: AccountIds = { users: new Set(users.nameOf.keys()), groups: new Set(groups.nameOf.keys()) };
  const chosen = new Map<string, number>();
  for (const unit of unitsOf(accounts)) {
    const numbers = unit.map((account) => [account, numberOf(account)] as const);
    for (const [{ kind, id }, number] of numbers) {
      if (number === undefined) continue;
      (kind === 'user' ? taken.users : taken.groups).add(number);
      if (number !== id) (kind === 'user' ? ids.users : ids.groups).set(id, number);
    }
  }
  return { ids, differences };

  function numberOf(account: Account): number | undefined {
    const { kind, name, id, rules } = account;
    const known = (kind === 'user' ? users : groups).idOf.get(name);
    if (known !== undefined || rules === undefined) {
      if (known === undefined)
        differs(account, 'absent', `the update's files belong to a ${kind} that is not on this machine`);
      else if (kind === 'user') chosen.set(name, known);
      return known;
    }
    const numbers = new Set(
      rules.map((rule) =>
        numberBy(rule, account, taken, ranges, kind === 'group' ? chosen.get(name) : undefined),
      ),
    );
    const [number] = numbers;
    if (numbers.size !== 1 || number === undefined) {
      const found = [...numbers].map((one) => one ?? 'none').join(' or ');
      const why =
        number === undefined && numbers.size === 1
          ? `the number ${id} that this ${kind} gets is taken here, or there is none left`
          : `which number this ${kind} would get here is not sure`;
      differs(account, found, why);
      return undefined;
    }
    if (kind === 'user') chosen.set(name, number);
    return number;
  }

  function differs({ kind, name, id }: Account, found: string, why: string): void {
    const path = kind === 'user' ? '/etc/passwd' : '/etc/group';
    differences.push({ path, record: name, expected: `${kind} ${id}`, found, why });
  }
}

/** A user and its group of the same name are made in one go: the one's number may decide the other's. The user first. */
export function unitsOf<A extends { readonly kind: 'user' | 'group'; readonly name: string }>(
  accounts: readonly A[],
): A[][] {
  const units = new Map<string, A[]>();
  for (const account of accounts) {
    const unit = units.get(account.name);
    if (unit === undefined) units.set(account.name, [account]);
    else unit.push(account);
  }
  return [...units.values()].map((unit) => unit.sort((a, b) => (a.kind < b.kind ? 1 : -1)));
}
