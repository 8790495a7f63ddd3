import { followLinks } from '../image/follow-links';
import { SymlinkLoopError } from '../image/image-errors';
import type { Image } from '../image/image';
import { parentOf } from '../manifest/image-path';
import type { RecordingMethod } from './recording';
import type { PathSummary, RecordingSummary } from './summarize-recording';

/** These tell a path as the program gave it; fanotify tells where it ends. */
const AS_GIVEN: ReadonlySet<RecordingMethod> = new Set(['strace', 'audit']);
const SURER: readonly PathSummary['byUpdate'][] = ['yes', 'maybe', 'no'];

/**
 * A recording with paths at which the given ones end: `/bin/sh` was read where `/usr/bin/dash` stands. What was read through
 * a link was read twice, the link and its target. One that is lost, or needs none of this, is returned as it is.
 */
export async function followRecordedLinks(
  summary: RecordingSummary,
  before: Image,
  after: Image,
): Promise<RecordingSummary> {
  if (summary.lost || !AS_GIVEN.has(summary.method)) return summary;
  const followed = new FollowedLinks(before, after);
  for (const [path, known] of summary.paths) await followed.take(path, known);
  return { ...summary, paths: followed.paths };
}

class FollowedLinks {
  readonly paths = new Map<string, PathSummary>();
  private readonly folders = new Map<string, string | undefined>();

  constructor(
    private readonly before: Image,
    private readonly after: Image,
  ) {}

  async take(given: string, summary: PathSummary): Promise<void> {
    const path = await this.inRealFolder(given);
    const { renamedFrom } = summary;
    this.add(path, {
      ...summary,
      ...(renamedFrom !== undefined && { renamedFrom: await this.inRealFolder(renamedFrom) }),
    });
    if (!summary.read && !summary.executed) return;
    const [was, is] = [await target(this.before, path), await target(this.after, path)];
    // Through a link that is new or gone it cannot be told what was done to the link, and what to its target.
    const through = was === is ? summary : { ...summary, ...READ_ALONE };
    for (const end of new Set([was, is])) {
      if (end !== undefined && end !== path) this.add(end, { ...through, ...NOT_THE_NAME });
    }
  }

  private add(path: string, summary: PathSummary): void {
    const known = this.paths.get(path);
    this.paths.set(path, known === undefined ? summary : merged(known, summary));
  }

  private async inRealFolder(path: string): Promise<string> {
    const folder = parentOf(path);
    if (folder === '/') return path;
    let real = this.folders.get(folder);
    if (!this.folders.has(folder)) {
      real = (await end(this.after, folder)) ?? (await end(this.before, folder));
      this.folders.set(folder, real);
    }
    if (real === undefined || real === folder) return path;
    return `${real === '/' ? '' : real}${path.slice(folder.length)}`;
  }
}

const READ_ALONE = { written: false, changedByUpdate: 'no', byOthers: false } as const;
const NOT_THE_NAME = { removed: false, moved: false } as const;

/** Where a link ends; undefined for what is no link, or leads nowhere. */
async function target(image: Image, path: string): Promise<string | undefined> {
  return (await image.lstat(path))?.type === 'symlink' ? end(image, path) : undefined;
}

async function end(image: Image, path: string): Promise<string | undefined> {
  try {
    return await followLinks(image, path);
  } catch (error) {
    if (error instanceof SymlinkLoopError) return undefined;
    throw error;
  }
}

function merged(a: PathSummary, b: PathSummary): PathSummary {
  const surer = (x: PathSummary['byUpdate'], y: PathSummary['byUpdate']): PathSummary['byUpdate'] =>
    SURER.find((one) => one === x || one === y)!;
  const renamedFrom = a.renamedFrom ?? b.renamedFrom;
  return {
    read: a.read || b.read,
    executed: a.executed || b.executed,
    written: a.written || b.written,
    removed: a.removed || b.removed,
    isDirectory: a.isDirectory || b.isDirectory,
    ...(renamedFrom !== undefined && { renamedFrom }),
    byUpdate: surer(a.byUpdate, b.byUpdate),
    changedByUpdate: surer(a.changedByUpdate, b.changedByUpdate),
    byOthers: a.byOthers || b.byOthers,
    moved: a.moved || b.moved,
  };
}
