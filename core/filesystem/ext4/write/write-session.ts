import { VerifiedBlocks } from './verified-blocks';

/** Blocks of a group, counted within it. */
export type BlockSpan = readonly [start: number, count: number];

/**
 * What a writer remembers from one operation to the next. It is only changed after an operation has succeeded. It holds
 * hints and records: without them writes would be less thrifty, never wrong.
 */
export class WriteSession {
  /** Snapshot blocks of the disk that hold changes already: more changes there cost nothing. */
  readonly dirtyAreas = new Set<number>();
  /** Those of them that may have free filesystem blocks, most lately touched last. */
  readonly openAreas = new Set<number>();
  /** Everything `check` looks at. */
  readonly touchedInodes = new Set<number>();
  readonly touchedGroups = new Set<number>();
  /** Where bitmaps and inode tables stand, by group. They never move. */
  readonly structures = new Map<number, readonly BlockSpan[]>();
  readonly verified = new VerifiedBlocks();
  /** Group of the last data written: the next goes near it. */
  dataGroup: number | undefined;
  /** Inode numbers of directories by path, from walks already made. */
  readonly directories = new Map<string, number>();

  /** @param areaShiftBytes where the filesystem starts within a snapshot block of its disk */
  constructor(readonly areaShiftBytes: number = 0) {}

  forgetDirectory(path: string): void {
    for (const known of this.directories.keys()) {
      if (isWithin(known, path)) this.directories.delete(known);
    }
  }
}

/** Whether `path` is `directory` or lies below it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
