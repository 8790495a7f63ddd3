import { mapRecordIds } from '../accounts/account-records';
import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import { neutralise } from './neutral';
import type { Variation } from './variation';

/**
 * The digest by which a record of two machines is the same but for what is each one's own: values are replaced by
 * tokens, numbers of accounts by their names.
 */
export function neutralRecord(
  path: string,
  codec: string,
  record: Uint8Array,
  { points, users, groups }: Variation,
): { digest: Digest; found: string[] } {
  const named = mapRecordIds(codec, record, (kind, id) => {
    const name = (kind === 'user' ? users : groups).nameOf.get(id);
    return name === undefined ? id : `<${kind} ${name}>`;
  });
  const { bytes, found } = neutralise(path, named, points);
  return { digest: digestOf(bytes), found };
}
