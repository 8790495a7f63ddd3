import type { FileType } from '../../filesystem';
import { ImmutableFileError, NotReplaceableError, OtherProjectError } from '../../write-errors';
import { typeOfMode } from '../../file-mode';
import { InodeFlag } from '../inode';
import type { InodeEdit } from './inode-edit';
import type { Place } from './resolve';

/** @throws ImmutableFileError when chattr protects what stands at the place, or its directory */
export function assertChangeable(place: Place): void {
  assertNotProtected(place.parent, place.path, place.found !== undefined);
  if (place.inode !== undefined) {
    assertNotProtected(place.inode, place.path, true);
  }
}

/** A directory that hands its project on takes no link to what belongs to another. @throws OtherProjectError */
export function assertSameProject(directory: InodeEdit, inode: InodeEdit, path: string): void {
  const isBound = (directory.fields.flags & InodeFlag.PROJINHERIT) !== 0;
  if (isBound && directory.fields.projectId !== inode.fields.projectId) {
    throw new OtherProjectError(path);
  }
}

/** @param takesAway whether something would be changed that append-only protects */
export function assertNotProtected(inode: InodeEdit, path: string, takesAway: boolean): void {
  if (inode.fields.flags & InodeFlag.IMMUTABLE) {
    throw new ImmutableFileError(path, 'immutable');
  }
  if (inode.fields.flags & InodeFlag.VERITY) {
    throw new ImmutableFileError(path, 'sealed by fs-verity');
  }
  if (takesAway && inode.fields.flags & InodeFlag.APPEND) {
    throw new ImmutableFileError(path, 'append-only');
  }
}

/** What stands there makes room as with rename(2). @throws NotReplaceableError between directories and others */
export function assertReplaceable(place: Place, type: FileType): void {
  if (place.inode === undefined) {
    return;
  }
  const found = typeOfMode(place.inode.fields.mode, place.inode.number);
  if ((found === 'directory') !== (type === 'directory')) {
    throw new NotReplaceableError(place.path, found, type);
  }
}
