import type { NUMBER_RULES } from '../manifest/manifest-schema';
import type { AccountIds } from './account-ids';
import type { IdRange, MachineRanges } from './id-ranges';

export type NumberRule = (typeof NUMBER_RULES)[number];

export interface NewAccount {
  readonly kind: 'user' | 'group';
  /** The representative's number: tells whether it is a system account. */
  readonly id: number;
}

/** From here on accounts are people's (UID_MIN of login.defs(5)). */
const FIRST_ORDINARY_ID = 1000;

export function isSystemId(id: number): boolean {
  return id < FIRST_ORDINARY_ID;
}

/**
 * The number that a tool would give a new account where these are taken; undefined when it finds none.
 *
 * - `first-free`, `first-free-pair`: adduser(8) and addgroup: from below; for users of their own group, older versions and
 *   ordinary users take a number that is free for both.
 * - `below-lowest`: useradd -r and groupadd -r (shadow, find_new_uid.c): one below the lowest there is.
 * - `above-highest`: useradd and groupadd: one above the highest there is.
 * - `as-user`: the group that useradd makes for its user: the user's number where it is free.
 * - `last-free-pair`: sysusers.d(5): from above, free for both.
 */
export function numberBy(
  rule: NumberRule,
  account: NewAccount,
  taken: AccountIds,
  machine: MachineRanges,
  userId: number | undefined,
): number | undefined {
  const { kind, id } = account;
  const isSystem = isSystemId(id);
  const ranges = machine[kind][isSystem ? 'system' : 'ordinary'];
  const own = kind === 'user' ? taken.users : taken.groups;
  const isFree = (number: number): boolean => !own.has(number);
  const isFreeForBoth = (number: number): boolean => !taken.users.has(number) && !taken.groups.has(number);
  switch (rule) {
    case 'fixed':
      return isFree(id) ? id : undefined;
    case 'first-free':
      return firstUp(ranges.adduser, isFree);
    case 'first-free-pair':
      return firstUp(ranges.adduser, isFreeForBoth);
    case 'below-lowest':
      return isSystem ? belowLowest(ranges.useradd, own) : undefined;
    case 'last-free-pair':
      return isSystem ? lastDown(ranges.sysusers, isFreeForBoth) : undefined;
    case 'above-highest':
      return isSystem ? undefined : aboveHighest(ranges.useradd, own);
    case 'as-user':
      if (userId === undefined || kind === 'user') return undefined;
      if (isFree(userId)) return userId;
      return isSystem ? belowLowest(ranges.useradd, own) : aboveHighest(ranges.useradd, own);
  }
}

function firstUp({ first, last }: IdRange, isFree: (id: number) => boolean): number | undefined {
  for (let id = first; id <= last; id++) if (isFree(id)) return id;
  return undefined;
}

function lastDown({ first, last }: IdRange, isFree: (id: number) => boolean): number | undefined {
  for (let id = last; id >= first; id--) if (isFree(id)) return id;
  return undefined;
}

function belowLowest(range: IdRange, taken: ReadonlySet<number>): number | undefined {
  const used = [...taken].filter((id) => id >= range.first && id <= range.last);
  const next = used.reduce((lowest, id) => Math.min(lowest, id), range.last + 1) - 1;
  return next >= range.first ? next : lastDown(range, (id) => !taken.has(id));
}

function aboveHighest(range: IdRange, taken: ReadonlySet<number>): number | undefined {
  const used = [...taken].filter((id) => id >= range.first && id <= range.last);
  const next = used.reduce((highest, id) => Math.max(highest, id), range.first - 1) + 1;
  return next <= range.last ? next : firstUp(range, (id) => !taken.has(id));
}
