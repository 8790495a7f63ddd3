import pLimit from 'p-limit';
import { decodeName, encodeName } from '../bytes/names';
import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import { readEntry } from '../footprint/read-entry';
import type { Stat, Xattrs } from '../filesystem/filesystem';
import type { Image } from '../image/image';
import { comparableContent, isInitramfs, LARGEST_INITRAMFS_BYTES } from '../initramfs/initramfs-content';
import { mapAclIds } from './access-control-list';
import { neutralise } from './neutral';
import type { Variation } from './variation';

/** Larger files are compared as they are: settings are not that large. */
const LARGEST_NEUTRAL_BYTES = 64 * 1024 * 1024;
/** Files above this are held whole one at a time: many are asked for at once. */
const LARGE_BYTES = 8 * 1024 * 1024;
const oneAtATime = pLimit(1);

/**
 * The digest by which two machines are said to have the same entry but for what is each one's own: values are replaced
 * by tokens, owners are told by name. `content: 'skip'` as for readEntry. With `points: []` only owners are.
 */
export async function neutralEntryDigest(
  image: Image,
  path: string,
  stat: Stat,
  variation: Variation,
  options: { readonly content?: 'read' | 'skip' } = {},
): Promise<{ digest: Digest; found: string[] }> {
  const { type, sizeBytes } = stat;
  const largest = isInitramfs(path) ? LARGEST_INITRAMFS_BYTES : LARGEST_NEUTRAL_BYTES;
  if (type === 'file' && sizeBytes <= largest && options.content !== 'skip') {
    const read = async (): Promise<{ content: Digest; found: string[] }> => {
      const { bytes, found } = neutralContent(path, await image.readFile(path), variation);
      return { content: digestOf(bytes), found };
    };
    const { content, found } = await (sizeBytes > LARGE_BYTES ? oneAtATime(read) : read());
    return { digest: ownerlessDigest(stat, await image.xattrs(path), { content }, variation), found };
  }
  const { xattrs, content, target } = await readEntry(image, path, stat, options);
  if (target === undefined)
    return { digest: ownerlessDigest(stat, xattrs, { content }, variation), found: [] };
  const neutral = neutralise(path, encodeName(target), variation.points);
  const facts = { target: decodeName(neutral.bytes) };
  return { digest: ownerlessDigest(stat, xattrs, facts, variation), found: neutral.found };
}

/** An initramfs is what it unpacks to: its bytes say when it was made. */
function neutralContent(
  path: string,
  bytes: Uint8Array,
  { points }: Variation,
): { bytes: Uint8Array; found: string[] } {
  const content = comparableContent(path, bytes);
  return content === undefined
    ? neutralise(path, bytes, points)
    : { bytes: content, found: ['times in an initramfs'] };
}

/** As entryDigest, with the names of owners in the place of their numbers. */
export function ownerlessDigest(
  { type, mode, uid, gid, device }: Stat,
  xattrs: Xattrs,
  { content, target }: { readonly content?: Digest; readonly target?: string },
  { users, groups }: Pick<Variation, 'users' | 'groups'>,
): Digest {
  const named = [...xattrs].map(([name, value]) => {
    const names: string[] = [];
    const bytes = mapAclIds(name, value, (kind, id) => {
      names.push(`${kind} ${(kind === 'user' ? users : groups).nameOf.get(id) ?? id}`);
      return 0;
    });
    return [name, Buffer.from(bytes ?? value).toString('base64'), names] as const;
  });
  const canonical = JSON.stringify([
    'neutral',
    type,
    type === 'symlink' ? 0o777 : mode,
    users.nameOf.get(uid) ?? uid,
    groups.nameOf.get(gid) ?? gid,
    named.sort(([a], [b]) => (a < b ? -1 : 1)),
    content ?? null,
    target ?? null,
    device === undefined ? null : [device.major, device.minor],
  ]);
  return digestOf(Buffer.from(canonical, 'utf8'));
}
