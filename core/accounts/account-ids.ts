/** Numbers of users and of groups. */
export interface AccountIds {
  readonly users: Set<number>;
  readonly groups: Set<number>;
}

/** The numbers of one machine by those of the representative; those that are not in it are the same. */
export interface AccountIdMap {
  readonly users: ReadonlyMap<number, number>;
  readonly groups: ReadonlyMap<number, number>;
}

/**
 * Below, base-passwd and setup give accounts the same numbers on every machine of a distribution; from here on a machine
 * gives them as accounts come (FIRST_SYSTEM_UID of adduser.conf(5)).
 */
export const FIRST_OWN_ID = 100;

/** `nobody` and what stands for no account: the same everywhere. */
const LAST_OWN_ID = 65_533;

/** Whether two machines may have this number for different accounts. */
export function isOwnId(id: number): boolean {
  return id >= FIRST_OWN_ID && (id <= LAST_OWN_ID || (id > 65_536 && id < 4_294_967_294));
}
