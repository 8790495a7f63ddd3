import type { FileType } from '../../filesystem';
import { addEntry, setEntry } from './directory-edit';
import { entryType } from './entry-type';
import type { Place } from './resolve';
import type { VolumeEdit } from './volume-edit';

/** Lets the name at a place mean this inode, which takes the link that is meant for it. */
export function nameInode(volume: VolumeEdit, place: Place, number: number, type: FileType): void {
  const target = { inode: number, type: entryType(volume, type) };
  if (place.found === undefined) {
    addEntry(volume, place.parent, { name: place.name, ...target });
  } else {
    setEntry(volume, place.parent, place.found, target);
  }
}
