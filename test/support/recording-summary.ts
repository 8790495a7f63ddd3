import type { RecordingPart } from '../../core/recording/recording';
import { type RecordingSummary, summarizeRecording } from '../../core/recording/summarize-recording';

/** Bits by path: of the update, of whom could not be told, of others. */
export type Events = Readonly<Record<string, readonly [own: number, unsure?: number, other?: number]>>;

/** What a whole recording of these events tells. */
export function recordingOf(events: Events, part: Partial<RecordingPart> = {}): RecordingSummary {
  const paths = Object.entries(events).map(([path, [own, unsure = 0, other = 0]]) => ({
    path,
    own,
    unsure,
    other,
  }));
  const [began, ended] = ['2020-01-01T00:00:00Z', '2040-01-01T00:00:00Z'];
  const end = { exitCode: 0, ended, events: 1, overflows: 0, unresolved: 0 };
  return summarizeRecording([
    {
      ...{ part: 1, method: 'fanotify', kernel: '6', boot: 'b', started: began, limits: {}, missing: [] },
      ...{ paths, renames: [], end },
      ...part,
    },
  ]);
}
