import { CorruptFilesystemError } from './errors';
import type { FileType } from './filesystem';

/** File types by the upper four bits of the mode (inode(7)). */
const TYPE_OF_MODE: ReadonlyMap<number, FileType> = new Map([
  [1, 'fifo'],
  [2, 'character-device'],
  [4, 'directory'],
  [6, 'block-device'],
  [8, 'file'],
  [10, 'symlink'],
  [12, 'socket'],
]);

/** @throws CorruptFilesystemError when the mode is of no file type, as in an inode that is not in use */
export function typeOfMode(mode: number, number: number): FileType {
  const type = TYPE_OF_MODE.get(mode >>> 12);
  if (!type) throw new CorruptFilesystemError('inode in use is of no file type', { inode: number, mode });
  return type;
}
