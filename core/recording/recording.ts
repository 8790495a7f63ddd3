/**
 * What was done to each path of a machine while an update ran there, and by whom. A recording is made of parts: one more
 * with each reboot. The recorder's format is described in recorder/record_file.py.
 */
export const RECORDING_FORMAT_VERSION = 1;

/** What the recorder can tell that was done to a path; one bit each. */
export const ACTION_BITS = {
  opened: 1,
  read: 2,
  executed: 4,
  written: 8,
  created: 16,
  removed: 32,
  movedAway: 64,
  movedHere: 128,
  attributes: 256,
  isDirectory: 512,
} as const;

export const ALL_ACTION_BITS = 1023;

/** `unsure` when the process was gone before it could be asked who it was. */
export type Actor = 'own' | 'unsure' | 'other';

/** In order of how much they see. `none`: the snapshots alone tell what changed. */
export const RECORDING_METHODS = ['fanotify', 'strace', 'audit', 'none'] as const;
export type RecordingMethod = (typeof RECORDING_METHODS)[number];

export interface RecordedPath {
  readonly path: string;
  /** Action bits by who did it. */
  readonly own: number;
  readonly unsure: number;
  readonly other: number;
}

export interface RecordedRename {
  readonly from: string;
  readonly to: string;
  readonly by: Actor;
}

/** How a part ended; one that was cut off has none. */
export interface PartEnd {
  readonly exitCode: number;
  readonly ended: string;
  readonly events: number;
  /** Times that the kernel's queue was full: what was lost is not known. */
  readonly overflows: number;
  /** Events in directories that were gone when they were looked up. */
  readonly unresolved: number;
  /** What broke the recorder, when something did. */
  readonly failure?: string;
}

export interface RecordingPart {
  readonly part: number;
  readonly method: RecordingMethod;
  readonly kernel: string;
  readonly boot: string;
  readonly started: string;
  /** By mount point, what of it could not be recorded, in words. */
  readonly limits: Readonly<Record<string, string>>;
  /** Mount points of which nothing was recorded. */
  readonly missing: readonly string[];
  readonly paths: readonly RecordedPath[];
  readonly renames: readonly RecordedRename[];
  readonly end?: PartEnd;
}
