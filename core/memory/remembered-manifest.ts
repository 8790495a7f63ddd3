import { digestOf } from '../chunk-store/digest';
import type { Manifest } from '../manifest/manifest-schema';
import type { Update } from '../update/update';

/** A manifest of an earlier run, as the list of what is remembered of one update tells it. Plain JSON. */
export interface RememberedManifest {
  readonly manifestKey: string;
  readonly manifestDigest: string;
  /** ISO 8601. */
  readonly capturedAt: string;
  /** The run and the class that the manifest was captured for. */
  readonly run: string;
  readonly classId: string;
  readonly os: Manifest['os'];
  /** Why no machine can be patched by it: it is kept for people only. */
  readonly onlyOnline?: readonly string[];
  /** What a patched machine does at its first boot. */
  readonly firstBoot?: readonly string[];
}

/** What a machine can be patched with at once: no online run is needed. */
export type RememberedFit = Pick<
  RememberedManifest,
  'manifestKey' | 'manifestDigest' | 'capturedAt' | 'run'
> & {
  /** On which the update was run then; a clone is long gone. */
  readonly representative: string;
};

/** Hours for which a manifest speaks for its update. */
export interface MemoryLimits {
  /** What a package source offers changes from day to day; also for scripts that fetch something. */
  readonly packagesHours: number;
  /** Of scripts and compliance checks: they change with their text, and then are another update. */
  readonly scriptHours: number;
}

export const DEFAULT_MEMORY_LIMITS: MemoryLimits = { packagesHours: 24, scriptHours: 30 * 24 };

/** Each is compared with each machine, and one that fits is seldom far back. */
export const MOST_TRIED = 5;

const HOUR_MS = 3_600_000;
/** As far as clocks of two machines may be apart. */
const MOST_HOURS_AHEAD = 1;

/** Programs that bring what their text does not say, and that may be something else tomorrow. */
const FETCHES =
  /(?:^|[\s;&|(`"'])(?:\/usr)?(?:\/local)?(?:\/s?bin\/)?(?:apt|apt-get|aptitude|unattended-upgrades?|dnf|microdnf|yum|zypper|snap|flatpak|pip3?|npm|gem|curl|wget|git|svn|rsync|scp|sftp|aws|docker|podman)(?=\s|$)/m;

/**
 * Hexadecimal digits that say what an update does: two definitions with the same are one update, whatever they are called
 * and however long they may take.
 */
export function updateDigest(update: Update): string {
  const what =
    update.kind === 'packages'
      ? [update.kind, Array.isArray(update.select) ? [...new Set(update.select)].sort() : update.select]
      : definitionOf(update);
  return digestOf(new TextEncoder().encode(JSON.stringify(what))).slice('sha256:'.length);
}

/** Everything that is not only for people or about time. */
function definitionOf(update: Update): unknown {
  const { name: _name, description: _description, timeoutSeconds: _timeout, ...rest } = update;
  return Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * What to write down of a manifest; undefined for one of which it is not known whom it fits.
 *
 * @param wanted on how many machines of a class the update was to be run: where a second one told nothing although it was
 * asked for, what the update made at random, passwords among it, may stand in the manifest
 */
export function rememberedManifest(
  manifest: Manifest,
  where: { readonly manifestKey: string; readonly manifestDigest: string },
  wanted: 1 | 2,
): RememberedManifest | undefined {
  if (wanted === 2 && manifest.onlyOnline === undefined && !isProven(manifest)) return undefined;
  // What was not recorded whole may have read more than is known.
  const { capturedAt, run, classId, os, onlyOnline, deferred, reads, recording } = manifest;
  if (onlyOnline === undefined && (reads === undefined || recording?.whole !== true)) return undefined;
  return {
    ...where,
    capturedAt,
    run,
    classId,
    os,
    ...(onlyOnline && { onlyOnline }),
    ...(deferred && { firstBoot: deferred.map(({ reason }) => reason) }),
  };
}

/** A check puts nothing on other machines. */
function isProven({ update, dataPoints = [] }: Manifest): boolean {
  return (
    update.kind === 'compliance' || dataPoints.some(({ role, used }) => role !== 'representative' && used)
  );
}

/** Those that may be tried on a machine of this system, the newest first. */
export function remembered(
  known: readonly RememberedManifest[],
  request: {
    readonly update: Update;
    readonly os: Manifest['os'];
    readonly now: Date;
    readonly limits?: MemoryLimits;
  },
): RememberedManifest[] {
  const { update, os, now, limits = DEFAULT_MEMORY_LIMITS } = request;
  const hours = fetches(update) ? limits.packagesHours : limits.scriptHours;
  return known
    .filter(({ onlyOnline, capturedAt }) => onlyOnline === undefined && ageHours(capturedAt, now) <= hours)
    .filter(
      (entry) =>
        entry.os.id === os.id &&
        entry.os.versionId === os.versionId &&
        entry.os.architecture === os.architecture,
    )
    .sort((a, b) => (a.capturedAt > b.capturedAt ? -1 : 1))
    .slice(0, MOST_TRIED);
}

function fetches(update: Update): boolean {
  return update.kind === 'packages' || ('commands' in update && FETCHES.test(update.commands.join('\n')));
}

/** Infinite for what is no time or one to come, so that it is never young enough. */
function ageHours(capturedAt: string, now: Date): number {
  const age = (now.getTime() - Date.parse(capturedAt)) / HOUR_MS;
  return age >= -MOST_HOURS_AHEAD ? age : Infinity;
}
