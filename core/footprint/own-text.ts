import type { RecordingSummary } from '../recording/summarize-recording';
import { followLinks } from '../image/follow-links';
import type { Image } from '../image/image';
import { SymlinkLoopError } from '../image/image-errors';
import { packageDatabase } from '../records/installed-packages';
import type { Effects } from './effects';
import { asksForAllPackages, namedPaths, namedWords, wholeTables } from './named-paths';
import type { Questions } from './questions';
import type { FootprintRequest } from './read-footprint';
import { ignoredRead } from './read-rules';

/** What a running system makes anew; an image has nothing of it. */
const RUNTIME = /^\/(dev|proc|sys|run|tmp|var\/run|var\/lock|var\/tmp)(\/|$)/;
const ACCOUNT_TABLES = ['/etc/passwd', '/etc/group'];

/** What the update's own commands name: they mean it, so that no rule leaves it out. */
export interface OwnText {
  /** Whether this path is named, or lies in a directory that is named and was listed. */
  isNamed(path: string): boolean;
  /** What units may be called that are named. */
  readonly units: readonly string[];
}

const NOTHING: OwnText = { isNamed: () => false, units: [] };
const UNIT_ENDINGS = ['.service', '.socket', '.timer', '.target', '.path', '.mount'];

/** Asks for what the commands of a script name. A packages update has none of its own. */
export async function askForOwnText(
  questions: Questions,
  { update, before, codecFor, recording }: FootprintRequest,
  effects: Effects,
): Promise<OwnText> {
  if (update.kind === 'packages') return NOTHING;
  const database = await packageDatabase(before);
  if (update.kind === 'document') {
    // What it does is not known: it may look at every package, as those of AWS that install patches do.
    if (database !== undefined) questions.ask({ path: database, kind: 'packages' });
    return NOTHING;
  }
  const text = update.commands.join('\n');
  const { paths, folders } = namedPaths(text);
  const named = new Set<string>();
  for (const path of [...paths, ...folders]) {
    if (RUNTIME.test(path)) continue;
    const real = (await realPath(before, path)) ?? path;
    named.add(real).add(path);
    if (effects.paths.has(real) && codecFor(real) === undefined) continue;
    if (folders.has(path)) questions.ask({ path: real, kind: 'names' });
    else if (codecFor(real) === undefined) askForEntry(questions, path, real, recording, effects);
    else {
      questions.ask({ path: real, kind: 'records' });
      if (!effects.paths.has(real)) questions.ask({ path: real, kind: 'metadata' });
    }
  }
  for (const path of wholeTables(text)) questions.ask({ path, kind: 'records' });

  const asked = [...namedWords(text)].sort();
  const tables = database === undefined ? ACCOUNT_TABLES : [...ACCOUNT_TABLES, database];
  if (asked.length > 0) {
    for (const path of tables) {
      if (!named.has(path)) questions.ask({ path, kind: 'records', asked });
    }
  }
  if (database !== undefined && asksForAllPackages(text)) questions.ask({ path: database, kind: 'packages' });
  const wasListed = (folder: string): boolean => {
    const summary = recording?.paths.get(folder);
    return folders.has(folder) || (summary?.isDirectory === true && summary.read);
  };
  return {
    isNamed(path) {
      if (named.has(path)) return true;
      // Logs and the like are below many directories, and no two machines have the same.
      if (ignoredRead(path, update.kind) !== undefined) return false;
      for (let folder = path; folder !== '/';) {
        folder = folder.slice(0, folder.lastIndexOf('/')) || '/';
        if (named.has(folder) && wasListed(folder)) return true;
      }
      return false;
    },
    units: asked.flatMap((word) => [word, ...UNIT_ENDINGS.map((ending) => word + ending)]),
  };
}

/** What was opened counts with its content; of what was only looked at, mode and owner do. */
function askForEntry(
  questions: Questions,
  path: string,
  real: string,
  recording: RecordingSummary | undefined,
  effects: Effects,
): void {
  const summary = recording?.paths.get(real);
  // Without a recording it may have been read.
  const wasRead = recording === undefined || (summary?.read === true && summary.byUpdate !== 'no');
  questions.ask({ path: real, kind: wasRead ? 'entry' : 'metadata' });
  if (path !== real && !effects.paths.has(path)) questions.ask({ path, kind: 'metadata' });
}

async function realPath(image: Image, path: string): Promise<string | undefined> {
  try {
    return await followLinks(image, path);
  } catch (error) {
    if (error instanceof SymlinkLoopError) return undefined;
    throw error;
  }
}
