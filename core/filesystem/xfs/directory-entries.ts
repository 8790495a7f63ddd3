import { decodeName } from '../../bytes/names';
import { CorruptFilesystemError } from '../errors';
import type { DirectoryEntry } from '../filesystem';
import { takeDirectory } from './directory-blocks';
import type { Inode } from './inode';
import { typeOfMode } from '../file-mode';
import type { Volume } from './volume';

/** Entries by name, without `.` and `..`. */
export type DirectoryEntries = ReadonlyMap<string, DirectoryEntry>;

/** Types of directory entries by their number on the disk (XFS_DIR3_FT_*); the last is overlayfs's whiteout. */
const TYPE_OF_ENTRY: readonly (DirectoryEntry['type'] | undefined)[] = [
  undefined,
  'file',
  'directory',
  'character-device',
  'block-device',
  'fifo',
  'socket',
  'symlink',
  'character-device',
];

/**
 * All entries of a directory at once.
 * @throws CorruptFilesystemError also when a name is there twice
 */
export function readDirectoryEntries(volume: Volume, directory: Inode): DirectoryEntries {
  const named: { name: string; inode: number; type: DirectoryEntry['type'] | undefined }[] = [];
  takeDirectory(volume, directory, (bytes, from, to, inode, type) => {
    named.push({ name: decodeName(bytes.subarray(from, to)), inode, type: TYPE_OF_ENTRY[type] });
  });
  // Where the directory does not tell types they are in the inodes: one fetch for them all.
  const untold = named.filter(({ type }) => type === undefined);
  volume.need(untold.map(({ inode }) => volume.inodeRange(inode)));
  const entries = new Map<string, DirectoryEntry>();
  for (const { name, inode, type } of named) {
    if (entries.has(name)) {
      throw new CorruptFilesystemError('name twice in a directory', { inode: directory.number, name });
    }
    entries.set(name, { name, inode, type: type ?? typeOfMode(volume.inode(inode).mode, inode) });
  }
  return entries;
}
