import type { PathSummary, RecordingSummary } from '../../core/recording/summarize-recording';

const NOTHING: PathSummary = {
  read: false,
  executed: false,
  written: false,
  removed: false,
  isDirectory: false,
  moved: false,
  byUpdate: 'yes',
  changedByUpdate: 'no',
  byOthers: false,
};

/** A whole recording of an update that did these things to these paths. */
export function recordingOf(paths: {
  readonly read?: readonly string[];
  readonly listed?: readonly string[];
  readonly executed?: readonly string[];
  readonly written?: readonly string[];
}): RecordingSummary {
  const all = new Map<string, PathSummary>();
  const add = (found: readonly string[] | undefined, summary: Partial<PathSummary>): void => {
    for (const path of found ?? []) all.set(path, { ...NOTHING, ...all.get(path), ...summary });
  };
  add(paths.read, { read: true });
  add(paths.listed, { read: true, isDirectory: true });
  add(paths.executed, { read: true, executed: true });
  add(paths.written, { written: true, changedByUpdate: 'yes' });
  return { method: 'fanotify', paths: all, lost: false, warnings: [] };
}
