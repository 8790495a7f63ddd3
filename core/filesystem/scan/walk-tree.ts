import { CorruptFilesystemError } from '../errors';
import type { ScannedEntry } from '../filesystem';
import { NameCheck } from './name-check';
import type { TreeTable } from './tree-table';

/** Sixteen times what a system call takes. A hostile tree as deep as it has inodes would make paths of gigabytes. */
const MAX_PATH_LENGTH = 65_536;
const BATCH_ENTRIES = 1024;

interface WaitingDirectory {
  readonly row: number;
  readonly path: string;
}

/**
 * Every path of a filesystem whose inodes and entries are all in the table, parents first, in batches. A table is walked once:
 * it marks the directories that it has been in.
 * @throws CorruptFilesystemError when a path leads to a damaged inode or none, a name is in a directory twice, or a
 *   directory has two paths
 */
export function* walkTree(table: TreeTable, rootInode: number): Generator<ScannedEntry[]> {
  const root = table.rowOf(rootInode);
  assertSound(table, root, '/', rootInode);
  let batch: ScannedEntry[] = [{ path: '/', stat: table.statOf(root) }];
  const waiting: WaitingDirectory[] = table.isDirectory(root) ? [{ row: root, path: '/' }] : [];
  const names = new NameCheck(table);
  for (let directory = waiting.pop(); directory; directory = waiting.pop()) {
    const { row, path } = directory;
    if (!table.enter(row)) throw new CorruptFilesystemError('directory with two paths', { path });
    if (path.length > MAX_PATH_LENGTH)
      throw new CorruptFilesystemError('path longer than any', { inode: table.inodeOf(row) });
    const prefix = path === '/' ? '/' : `${path}/`;
    names.assertDistinct(row);
    for (let entry = table.firstEntry(row); entry !== 0; entry = table.nextEntry(entry)) {
      const child = prefix + table.nameOf(entry);
      const childRow = table.rowOfEntry(entry);
      assertSound(table, childRow, child, table.strangerOf(entry));
      batch.push({ path: child, stat: table.statOf(childRow) });
      if (table.isDirectory(childRow)) waiting.push({ row: childRow, path: child });
      if (batch.length >= BATCH_ENTRIES) {
        yield batch;
        batch = [];
      }
    }
  }
  if (batch.length > 0) yield batch;
}

function assertSound(
  table: TreeTable,
  row: number | undefined,
  path: string,
  inode: number | undefined,
): asserts row is number {
  if (row === undefined)
    throw new CorruptFilesystemError('path leads to an inode that is not in use', { path, inode });
  if (table.isDamaged(row))
    throw table.damageOf(row) ?? new CorruptFilesystemError('inode', { path, inode: table.inodeOf(row) });
}
