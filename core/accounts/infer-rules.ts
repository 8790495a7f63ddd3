import { type Manifest, NUMBER_RULES } from '../manifest/manifest-schema';
import type { AccountNames, Variation } from '../variation/variation';
import type { AccountIds } from './account-ids';
import { unitsOf } from './assign-numbers';
import type { MachineRanges } from './id-ranges';
import { isSystemId, type NumberRule, numberBy } from './number-rules';

type Account = NonNullable<Manifest['accounts']>[number];

/** The accounts of a machine before and after the update, and where its tools give numbers. */
export interface AccountHistory {
  readonly before: Variation;
  readonly after: Variation;
  readonly ranges: MachineRanges;
}

/**
 * The accounts that the update made, in the order in which it made them, each with every rule by which its number may
 * have come about on the representative and on the witness. One that no rule explains was given its number.
 */
export function madeAccounts(representative: AccountHistory, witness?: AccountHistory): Account[] {
  const made = newAccounts(representative);
  const fits = fittingRules(made, representative, made);
  const fitsThere = witness && fittingRules(made, witness, newAccounts(witness));
  return made.map((account) => {
    const there = fitsThere?.get(account);
    const rules = fits.get(account)!.filter((rule) => there === undefined || there.includes(rule));
    // A system account's number that a tool would have chosen anyway was not asked for; a person's may well be
    // (`useradd -u 1001`), and then only machines where both give the same are sure.
    const chosen = isSystemId(account.id) ? rules.filter((rule) => rule !== 'fixed') : rules;
    return { ...account, rules: chosen.length > 0 ? chosen : rules };
  });
}

function newAccounts({ before, after }: AccountHistory): Account[] {
  const fresh = (kind: 'user' | 'group', was: AccountNames, is: AccountNames): Account[] =>
    [...is.idOf].flatMap(([name, id]) => (was.idOf.has(name) ? [] : [{ kind, name, id }]));
  const users = fresh('user', before.users, after.users);
  const groups = fresh('group', before.groups, after.groups);
  const ordered: Account[] = [];
  let next = 0;
  for (const user of users) {
    const own = groups.findIndex(({ name }, index) => index >= next && name === user.name);
    // Groups that stand before a user's own were made before it.
    if (own >= 0) {
      ordered.push(...groups.slice(next, own));
      next = own + 1;
    }
    ordered.push(user, ...(own >= 0 ? [groups[own]!] : []));
  }
  return [...ordered, ...groups.slice(next)];
}

/** By account of the representative: the rules that give the number that it has on this machine. */
function fittingRules(
  made: readonly Account[],
  { before, ranges }: AccountHistory,
  own: readonly Account[],
): ReadonlyMap<Account, NumberRule[]> {
  const fits = new Map<Account, NumberRule[]>();
  const taken: AccountIds = {
    users: new Set(before.users.nameOf.keys()),
    groups: new Set(before.groups.nameOf.keys()),
  };
  for (const unit of unitsOf(own)) {
    const userId = unit.find(({ kind }) => kind === 'user')?.id;
    for (const account of unit) {
      const called = made.find(({ kind, name }) => kind === account.kind && name === account.name);
      if (called === undefined) continue;
      const rules = NUMBER_RULES.filter((rule) =>
        rule === 'fixed'
          ? account.id === called.id
          : numberBy(rule, account, taken, ranges, userId) === account.id,
      );
      fits.set(called, rules);
    }
    for (const { kind, id } of unit) (kind === 'user' ? taken.users : taken.groups).add(id);
  }
  return fits;
}
