import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BLOCK_BYTES } from './block-storage';

/** A run of a file's bytes and where the filesystem keeps it, in bytes. */
export interface Extent {
  logical: number;
  physical: number;
  length: number;
}

const ROW = /^\s*\d+:\s*(\d+)\.\.\s*\d+:\s*(\d+)\.\.\s*\d+:\s*(\d+):\s*(?:\d+:)?\s*(.*)$/;

/**
 * The extents of a file that hold data, in order, as `filefrag -v` reports them after a sync (FIEMAP). Preallocated but
 * unwritten extents read as zeros and are left out.
 */
export async function extentsOf(file: string): Promise<Extent[]> {
  const { stdout } = await promisify(execFile)('filefrag', ['-v', '-s', '-b1', file], {
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C' },
  });
  return parseExtents(stdout);
}

/** Reads the output of `filefrag -v -b1`; runs that continue each other in both places become one. */
export function parseExtents(output: string): Extent[] {
  const extents: Extent[] = [];
  for (const line of output.split('\n')) {
    const row = ROW.exec(line);
    if (!row || row[4]?.includes('unwritten')) continue;
    const [logical, physical, length] = [Number(row[1]), Number(row[2]), Number(row[3])];
    const last = extents.at(-1);
    if (last && last.logical + last.length === logical && last.physical + last.length === physical)
      last.length += length;
    else extents.push({ logical, physical, length });
  }
  return extents;
}

/** For every 512 KiB block that holds data, a text that changes when any part of the block is put elsewhere. */
export function placesByBlock(extents: readonly Extent[]): Map<number, string> {
  const places = new Map<number, string>();
  for (const extent of extents) {
    const end = extent.logical + extent.length;
    for (let at = extent.logical; at < end;) {
      const index = Math.floor(at / BLOCK_BYTES);
      const stop = Math.min(end, (index + 1) * BLOCK_BYTES);
      const place = `${at}>${extent.physical + at - extent.logical}+${stop - at}`;
      places.set(index, `${places.get(index) ?? ''} ${place}`);
      at = stop;
    }
  }
  return places;
}
