import { Incompat } from './features';
import type { Inode } from './inode';
import type { Superblock } from './superblock';

/** A target of so many bytes no longer fits into i_block. */
export const FAST_SYMLINK_BYTES = 60;

/**
 * Whether a symbolic link's target stands in i_block: then it has no blocks of its own. With ea_inode blocks of
 * attribute values count too, and only the size tells.
 */
export function isFastSymlink({ featureIncompat, clusterSize }: Superblock, inode: Inode): boolean {
  if (featureIncompat & Incompat.ea_inode) return inode.sizeBytes < FAST_SYMLINK_BYTES;
  return inode.sectors === (inode.xattrBlock === 0 ? 0 : clusterSize / 512);
}
