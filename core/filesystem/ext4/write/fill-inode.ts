import { encodeName } from '../../../bytes/names';
import { UnsupportedFeatureError } from '../../errors';
import { RoCompat } from '../features';
import { FAST_SYMLINK_BYTES } from '../fast-symlink';
import { InodeFlag } from '../inode';
import { startDirectory } from './directory-edit';
import { entryType } from './entry-type';
import { writeContent } from './file-blocks';
import type { InodeEdit } from './inode-edit';
import { countSubdirectory } from './link-counts';
import type { VolumeEdit } from './volume-edit';

/** A file with more bytes than this needs the feature large_file. */
const MOST_SMALL_FILE_BYTES = 2 ** 31 - 1;

/** Gives a new inode what its type needs, once it has its mode and flags. */
export type FillInode = (inode: InodeEdit) => void;

export function fillFile(volume: VolumeEdit, content: Uint8Array): FillInode {
  const hasLargeFiles = (volume.superblock.featureRoCompat & RoCompat.large_file) !== 0;
  if (content.length > MOST_SMALL_FILE_BYTES && !hasLargeFiles) {
    throw new UnsupportedFeatureError(['files of 2 GiB on a volume without large_file'], 'write');
  }
  return (inode) => writeContent(volume, inode, content);
}

export function fillSymlink(volume: VolumeEdit, target: string): FillInode {
  const bytes = encodeName(target);
  return (inode) => {
    if (bytes.length >= FAST_SYMLINK_BYTES) {
      writeContent(volume, inode, bytes);
      return;
    }
    inode.fields.flags &= ~InodeFlag.EXTENTS;
    inode.fields.block = new Uint8Array(60);
    inode.fields.block.set(bytes);
    inode.fields.sizeBytes = bytes.length;
  };
}

export function fillDirectory(volume: VolumeEdit, parent: InodeEdit): FillInode {
  return (inode) => {
    startDirectory(volume, inode, parent.number, entryType(volume, 'directory'));
    countSubdirectory(parent, 1);
  };
}
