import type { Image } from '../image/image';
import { parentOf } from '../manifest/image-path';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import type { PathSummary, RecordingSummary } from '../recording/summarize-recording';
import type { ChangedPath } from './changed-paths';
import type { Decisions } from './decisions';
import { linkGroupsOf } from './link-groups';

/** Who changed a path; `unseen` when no event tells. */
type Author = 'update' | 'perhaps the update' | 'others' | 'unseen';

const OTHERS = 'changed by another process than the update’s while it ran';
const BEFORE = 'changed before the update began';
const AFTER = 'changed after the update had ended';

/** A recording tells times in whole seconds, and the kernel's own clock for files runs a few milliseconds late. */
const BEFORE_MARGIN_MS = 1000;
const AFTER_MARGIN_MS = 2000;
const LISTED_WARNINGS = 100;
/** Paths that one warning names. */
const NAMED = 5;

/** What the recording tells of the paths that changed between two snapshots: the machine was alive meanwhile. */
export class RecordedChanges {
  private readonly authors = new Map<string, Author>();

  constructor(
    private readonly recording: RecordingSummary,
    after: Pick<Image, 'mountOf'>,
    candidates: readonly ChangedPath[],
  ) {
    if (recording.lost) return;
    for (const candidate of candidates) this.authors.set(candidate.path, this.authorOf(candidate));
    // What is written under one name of an inode changes under all of them, and an event tells one.
    const entries = candidates.map((candidate) => ({ path: candidate.path, stat: candidate.after }));
    for (const [path, names] of linkGroupsOf(after, entries)) {
      if (names.length < 2) continue;
      const known = names.map((name) => this.authors.get(name)!);
      const author = STRONGEST_FIRST.find((one) => known.includes(one));
      if (author !== undefined && this.authors.get(path) === 'unseen') this.authors.set(path, author);
    }
  }

  /** Why a change is none of the update's, by path. Without a whole recording nothing is left out. */
  othersChanges(candidates: readonly ChangedPath[]): ReadonlyMap<string, string> {
    const reasons = new Map<string, string>();
    if (this.recording.lost) return reasons;
    for (const candidate of candidates) {
      const reason = this.othersReason(candidate);
      if (reason !== undefined) reasons.set(candidate.path, reason);
    }
    keepWhatOthersNeed(candidates, reasons);
    return reasons;
  }

  /** Notes which operations rest on the snapshots alone. */
  explain(operations: readonly Operation[], decisions: Decisions): string[] {
    if (this.recording.lost) {
      return [`The difference of the snapshots decided alone. ${this.recording.warnings.join(' ')}`];
    }
    const unseen: string[] = [];
    const unsure: string[] = [];
    for (const path of new Set(operations.map((operation) => operation.path))) {
      const author = this.authors.get(path);
      if (author === 'unseen') {
        unseen.push(path);
        decisions.add(path, 'kept', 'it changed without an event in the recording');
      }
      if (author === 'perhaps the update') {
        decisions.add(path, 'kept', 'who changed it had ended before that could be asked');
        if (this.recording.paths.get(path)?.byOthers === true) unsure.push(path);
      }
    }
    return [
      ...warningOf(unseen, 'changed without an event in the recording and are taken for the update’s'),
      ...warningOf(
        unsure,
        'were changed by others, and perhaps by the update too: they are taken as its own',
      ),
    ];
  }

  facts(): NonNullable<Manifest['recording']> {
    const { method, lost, warnings } = this.recording;
    return { method, whole: !lost, warnings: warnings.slice(0, LISTED_WARNINGS) };
  }

  private othersReason({ path, before, after }: ChangedPath): string | undefined {
    const author = this.authors.get(path);
    if (author === 'others') return OTHERS;
    const { span, warnings } = this.recording;
    // Without an event, and by the inode's own time not within the recording: two witnesses. Limits weaken the first.
    if (author !== 'unseen' || after === undefined || span === undefined || warnings.length > 0)
      return undefined;
    // Its names changed, and are candidates themselves.
    if (before?.type === 'directory' && after.type === 'directory') return undefined;
    const changedMs = Number(after.ctimeNs / 1_000_000n);
    if (changedMs < span.began.getTime() - BEFORE_MARGIN_MS) return BEFORE;
    if (changedMs > span.ended.getTime() + AFTER_MARGIN_MS) return AFTER;
    return undefined;
  }

  /** What lies below a directory moves with it, and is gone before it can be removed: events in it may have no path then. */
  private authorOf({ path, after }: ChangedPath): Author {
    const own = authorIn(this.recording.paths.get(path));
    if (own !== 'unseen') return own;
    for (let folder = parentOf(path); folder !== '/'; folder = parentOf(folder)) {
      const summary = this.recording.paths.get(folder);
      if (summary?.isDirectory !== true) continue;
      if (summary.moved || (after === undefined && summary.removed)) return authorIn(summary);
    }
    return 'unseen';
  }
}

const STRONGEST_FIRST: readonly Author[] = ['update', 'perhaps the update', 'others'];

function authorIn(summary: PathSummary | undefined): Author {
  if (summary === undefined) return 'unseen';
  if (summary.changedByUpdate === 'yes') return 'update';
  if (summary.changedByUpdate === 'maybe') return 'perhaps the update';
  return summary.byOthers ? 'others' : 'unseen';
}

/** A directory that others made stays when the update put something there; what they removed, when it removed the directory. */
function keepWhatOthersNeed(candidates: readonly ChangedPath[], reasons: Map<string, string>): void {
  const removedFolders = new Set<string>();
  for (const { path, before, after } of candidates) {
    if (reasons.has(path)) continue;
    if (before?.type === 'directory' && after?.type !== 'directory') removedFolders.add(path);
    if (after === undefined) continue;
    for (let folder = parentOf(path); folder !== '/'; folder = parentOf(folder)) reasons.delete(folder);
  }
  for (const { path, after } of candidates) {
    if (after !== undefined || !reasons.has(path)) continue;
    for (let folder = parentOf(path); folder !== '/'; folder = parentOf(folder)) {
      if (removedFolders.has(folder)) reasons.delete(path);
    }
  }
}

function warningOf(paths: readonly string[], what: string): string[] {
  if (paths.length === 0) return [];
  const named = paths.slice(0, NAMED).join(', ');
  const more = paths.length > NAMED ? ` and ${paths.length - NAMED} more` : '';
  return [`${named}${more} ${what}`];
}
