import { idsInRecord } from '../accounts/account-records';
import { isOwnId } from '../accounts/account-ids';
import { madeAccounts } from '../accounts/infer-rules';
import { readIdRanges } from '../accounts/id-ranges';
import type { Manifest, Operation, OperationOf } from '../manifest/manifest-schema';
import { idsInAcl } from '../variation/access-control-list';
import type { DataPoint } from './data-point';

type Account = NonNullable<Manifest['accounts']>[number];

/**
 * Every account that operations name by a number which another machine may have given otherwise: those that the update
 * made, in their order, with how their numbers came about, and before them those that were there.
 */
export async function manifestAccounts(
  operations: readonly Operation[],
  recordOf: (record: OperationOf<'put-record'>['records'][number]) => Uint8Array,
  representative: DataPoint,
  witness: DataPoint | undefined,
): Promise<Account[]> {
  const { was, is, after } = representative;
  const made = madeAccounts(
    { before: was, after: is, ranges: await readIdRanges(after) },
    witness && { before: witness.was, after: witness.is, ranges: await readIdRanges(witness.after) },
  );
  const used = { user: new Set<number>(), group: new Set<number>() };
  for (const operation of operations) {
    if ('metadata' in operation) {
      const { uid, gid, xattrs } = operation.metadata;
      used.user.add(uid);
      used.group.add(gid);
      for (const [name, value] of Object.entries(xattrs)) {
        for (const { kind, id } of idsInAcl(name, Buffer.from(value, 'base64'))) used[kind].add(id);
      }
    }
    if (operation.kind !== 'put-record') continue;
    for (const record of operation.records) {
      if (record.after === 'absent') continue;
      const { users, groups } = idsInRecord(operation.codec, recordOf(record));
      for (const id of users) used.user.add(id);
      for (const id of groups) used.group.add(id);
    }
  }
  const isMade = new Set(made.map(({ kind, name }) => `${kind} ${name}`));
  const existing = (['user', 'group'] as const).flatMap((kind) =>
    [...used[kind]]
      .sort((a, b) => a - b)
      .flatMap((id): Account[] => {
        const name = (kind === 'user' ? is.users : is.groups).nameOf.get(id);
        if (name === undefined || !isOwnId(id) || isMade.has(`${kind} ${name}`)) return [];
        return [{ kind, name, id }];
      }),
  );
  return [...existing, ...made];
}
