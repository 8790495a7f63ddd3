import type { FileType, Stat } from '../filesystem';
import { CorruptFilesystemError } from '../errors';
import { parseDeviceNumber } from './device-number';
import { noKeyTargetBytes } from './no-key-name';
import {
  InodeFlag,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  type Inode,
} from './inode';

const TYPE_OF_MODE: ReadonlyMap<number, FileType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'character-device'],
  [S_IFBLK, 'block-device'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
]);

/** File types of directory entries, by their number on the disk; 0 says nothing. */
const TYPE_OF_ENTRY: readonly (FileType | undefined)[] = [
  undefined,
  'file',
  'directory',
  'character-device',
  'block-device',
  'fifo',
  'socket',
  'symlink',
];

export function typeOfEntry(entryType: number): FileType | undefined {
  return TYPE_OF_ENTRY[entryType];
}

/** @throws CorruptFilesystemError when the mode is of no file type, as in an inode that is not in use */
export function typeOfMode(mode: number, number: number): FileType {
  const type = TYPE_OF_MODE.get(mode & S_IFMT);
  if (!type) throw new CorruptFilesystemError('inode in use is of no file type', { inode: number, mode });
  return type;
}

export function statOf(number: number, inode: Inode): Stat {
  const type = typeOfMode(inode.mode, number);
  const isDevice = type === 'character-device' || type === 'block-device';
  return {
    inode: number,
    type,
    mode: inode.mode & 0o7777,
    uid: inode.uid,
    gid: inode.gid,
    sizeBytes: shownSize(type, inode),
    links: inode.links,
    mtimeNs: inode.mtimeNs,
    ctimeNs: inode.ctimeNs,
    ...(isDevice && { device: parseDeviceNumber(inode.block) }),
    immutable: (inode.flags & InodeFlag.IMMUTABLE) !== 0,
    appendOnly: (inode.flags & InodeFlag.APPEND) !== 0,
  };
}

/** Of an encrypted symbolic link stat(2) says the length of what readlink(2) gives. */
function shownSize(type: FileType, { flags, sizeBytes }: Inode): number {
  return type === 'symlink' && flags & InodeFlag.ENCRYPT ? noKeyTargetBytes(sizeBytes) : sizeBytes;
}
