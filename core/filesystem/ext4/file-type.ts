import type { FileType, Stat } from '../filesystem';
import { typeOfMode } from '../file-mode';
import { parseDeviceNumber } from './device-number';
import { noKeyTargetBytes } from './no-key-name';
import { InodeFlag, type Inode } from './inode';

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
