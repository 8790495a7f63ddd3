import type { FaultingCache } from '../../block-device/faulting-cache';
import type { ScannedEntry } from '../filesystem';
import { EntryStream } from '../scan/entry-stream';
import { TreeTable } from '../scan/tree-table';
import { walkTree } from '../scan/walk-tree';
import { ROOT_INODE } from './inode';
import { scanDirectories } from './scan-directories';
import { scanInodes } from './scan-inodes';
import type { VolumeReader } from './volume-reader';

/**
 * Every path of a volume, parents first. Three passes, the first two over the disk in its own order, so that each block
 * is fetched about once: the used parts of the inode tables, the blocks of all directories, then the tree in memory.
 */
export function scanVolume(cache: FaultingCache, volume: VolumeReader): AsyncIterable<ScannedEntry> {
  return new EntryStream(async function* () {
    const table = new TreeTable();
    const directories = await scanInodes(cache, volume, table);
    await scanDirectories(cache, volume, table, directories);
    yield* walkTree(table, ROOT_INODE);
  });
}
