import type { FileType } from '../../filesystem';
import { EntryType } from '../directory';
import { Incompat } from '../features';
import type { VolumeEdit } from './volume-edit';

/** The number in a directory entry that says the type; 0 on volumes that do not keep it. */
export function entryType(volume: VolumeEdit, type: FileType): number {
  return volume.superblock.featureIncompat & Incompat.filetype ? EntryType[type] : 0;
}
