import type { Image } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import { type AptCandidate, aptCandidates, dueCandidate } from '../records/apt-candidates';
import { debianPackages, isInstalled } from '../records/debian-packages';
import type { PackagesUpdate } from '../update/update';
import { rpmDueCandidates } from './rpm-due-candidates';

export interface DueCandidates {
  readonly due: Manifest['due'];
  readonly warnings: readonly string[];
}

/** Older than every version there is: a version may begin with `~` only after something else (deb-version(7)). */
const OLDEST_VERSION = '0~~';

/**
 * What the update would do to packages in general, by the apt lists that the representative fetched for it. `memberPackages`
 * (`name:architecture`) keeps only what members have; without it a list may hold every package of the distribution.
 */
export async function dueCandidates(
  after: Image,
  update: PackagesUpdate,
  memberPackages?: ReadonlySet<string>,
): Promise<DueCandidates> {
  if (after.os.packageSystem === 'rpm') return rpmDueCandidates(after, update, memberPackages);
  if (after.os.packageSystem !== 'dpkg') return { due: undefined, warnings: [] };
  // Packages that are named are few: whoever has them, what is offered for them is known.
  const lookedUp = Array.isArray(update.select) ? undefined : memberPackages;
  const { byPackage, unread } = await aptCandidates(after, lookedUp);
  const installed = await debianPackages(after);
  const candidates: Record<string, string> = {};
  const keptBack: Record<string, string> = {};
  for (const key of [...byPackage.keys()].sort()) {
    if (!isSelected(key, update)) continue;
    const offered = newestOffered(byPackage.get(key), update);
    if (offered === undefined) continue;
    candidates[key] = offered;
    const own = installed.get(key);
    if (own !== undefined && isInstalled(own) && own.version !== offered) keptBack[key] = own.version;
  }
  if (unread.length > 0) {
    // What is not known to be offered may be due elsewhere: only what the representative has is known not to be.
    for (const [key, own] of installed) {
      if (isInstalled(own) && isSelected(key, update) && !Object.hasOwn(candidates, key))
        candidates[key] = own.version;
    }
  }
  const isKnown = (key: string): boolean => unread.length === 0 || !isSelected(key, update);
  const none = Array.isArray(update.select) ? undefined : new Set<string>();
  const asked = unread.length > 0 ? (memberPackages ?? none) : lookedUp;
  const notOffered =
    asked && [...asked].filter((key) => !Object.hasOwn(candidates, key) && isKnown(key)).sort();
  return {
    due: { candidates, keptBack, ...(notOffered && { notOffered }) },
    warnings: unread.map(
      ({ path, reason }) =>
        `${path} was not read (${reason}): machines with other packages than this one's need the update themselves`,
    ),
  };
}

function isSelected(key: string, { select }: PackagesUpdate): boolean {
  return !Array.isArray(select) || select.includes(key.slice(0, key.lastIndexOf(':')));
}

function newestOffered(
  offers: readonly AptCandidate[] | undefined,
  { select }: PackagesUpdate,
): string | undefined {
  return dueCandidate(OLDEST_VERSION, offers, { security: select === 'security' })?.version;
}
