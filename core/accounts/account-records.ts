import type { AccountIds } from './account-ids';

/** Which fields of an account file's record are numbers of users and groups: passwd(5), group(5). */
const ID_FIELDS: Readonly<
  Record<string, readonly { readonly field: number; readonly kind: 'user' | 'group' }[]>
> = {
  passwd: [
    { field: 2, kind: 'user' },
    { field: 3, kind: 'group' },
  ],
  group: [{ field: 2, kind: 'group' }],
};

/** The record with other numbers; the same bytes where it has none. */
export function mapRecordIds(
  codec: string,
  record: Uint8Array,
  mapId: (kind: 'user' | 'group', id: number) => number | string,
): Uint8Array {
  const places = ID_FIELDS[codec];
  if (places === undefined) return record;
  const fields = Buffer.from(record).toString('latin1').split(':');
  for (const { field, kind } of places) {
    const digits = fields[field];
    if (digits !== undefined && /^\d{1,10}$/.test(digits))
      fields[field] = String(mapId(kind, Number(digits)));
  }
  return Buffer.from(fields.join(':'), 'latin1');
}

/** Every number in a record, by kind. */
export function idsInRecord(codec: string, record: Uint8Array): AccountIds {
  const ids: AccountIds = { users: new Set(), groups: new Set() };
  mapRecordIds(codec, record, (kind, id) => {
    (kind === 'user' ? ids.users : ids.groups).add(id);
    return id;
  });
  return ids;
}
