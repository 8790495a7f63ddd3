import type { Image } from '../image/image';
import { installedPackages, packageRules } from '../records/installed-packages';
import { rpmOffers } from '../records/rpm/rpm-repositories';
import type { PackagesUpdate } from '../update/update';
import type { DueCandidates } from './due-candidates';

/** Newer than every version there is: a package that another one takes the place of, whatever its version. */
const NEWEST_VERSION = '4294967295:';

/** As `dueCandidates`, by the metadata that dnf fetched on the representative. */
export async function rpmDueCandidates(
  after: Image,
  { select }: PackagesUpdate,
  memberPackages?: ReadonlySet<string>,
): Promise<DueCandidates> {
  const { nameOf, compareVersions } = packageRules('rpm');
  const named = Array.isArray(select) ? select : undefined;
  const lookedUp = named === undefined ? memberPackages : undefined;
  const offers = await rpmOffers(after, lookedUp);
  const candidates = new Map(select === 'security' ? offers.security : offers.newest);
  // dnf's --security takes the place of nothing that no advisory is for.
  if (select === 'all') {
    for (const key of lookedUp ?? []) {
      const name = nameOf(key);
      if (offers.obsoleted.has(name)) candidates.set(key, offers.obsoleted.get(name) ?? NEWEST_VERSION);
    }
  }
  const installed = await installedPackages(after);
  const due: Record<string, string> = {};
  const keptBack: Record<string, string> = {};
  for (const [key, offered] of [...candidates].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (named && !named.includes(nameOf(key)) && !named.includes(key)) continue;
    due[key] = offered;
    const own = installed.get(key);
    if (own !== undefined && compareVersions(offered, own.version) > 0) keptBack[key] = own.version;
  }
  const notOffered = lookedUp && [...lookedUp].filter((key) => !Object.hasOwn(due, key)).sort();
  return {
    due: { candidates: due, keptBack, ...(notOffered && { notOffered }) },
    warnings: offers.unread.map(
      ({ path, reason }) => `${path} was not read (${reason}): packages due on other machines may be missed`,
    ),
  };
}
