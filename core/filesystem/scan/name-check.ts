import { CorruptFilesystemError } from '../errors';
import type { TreeTable } from './tree-table';

/** Slots looked at for one name: more are as good as never needed, unless somebody chose the names for it. */
const MOST_PROBES = 64;

/**
 * Finds names that are in a directory twice. By the hashes of names, which costs little for the millions of directories
 * that are as they should be; where hashes meet, by the names.
 */
export class NameCheck {
  /** Hashes met in the directory of `turn`, at the slots that they lead to. */
  private hashes = new Uint32Array(256);
  private turns = new Uint32Array(256);
  private turn = 0;

  constructor(private readonly table: TreeTable) {}

  /** @throws CorruptFilesystemError */
  assertDistinct(directoryRow: number): void {
    const { table } = this;
    this.turn += 1;
    let count = 0;
    for (let entry = table.firstEntry(directoryRow); entry !== 0; entry = table.nextEntry(entry)) count += 1;
    if (count * 2 > this.hashes.length) {
      this.hashes = new Uint32Array(2 ** Math.ceil(Math.log2(count * 2)));
      this.turns = new Uint32Array(this.hashes.length);
    }
    for (let entry = table.firstEntry(directoryRow); entry !== 0; entry = table.nextEntry(entry)) {
      if (!this.isNew(table.hashOf(entry))) {
        this.compareNames(directoryRow);
        return;
      }
    }
  }

  private isNew(hash: number): boolean {
    const mask = this.hashes.length - 1;
    let slot = hash & mask;
    for (let probe = 0; probe < MOST_PROBES; probe += 1) {
      if (this.turns[slot] !== this.turn) {
        this.turns[slot] = this.turn;
        this.hashes[slot] = hash;
        return true;
      }
      if (this.hashes[slot] === hash) return false;
      slot = (slot + 1) & mask;
    }
    return false;
  }

  private compareNames(directoryRow: number): void {
    const { table } = this;
    const names = new Set<string>();
    for (let entry = table.firstEntry(directoryRow); entry !== 0; entry = table.nextEntry(entry)) {
      const name = table.nameOf(entry);
      if (names.has(name)) {
        throw new CorruptFilesystemError('name twice in a directory', {
          inode: table.inodeOf(directoryRow),
          name,
        });
      }
      names.add(name);
    }
  }
}
