import type { Image } from '../image/image';
import { installedStanzas, type InstalledStanza } from '../footprint/package-relations';
import type { Manifest } from '../manifest/manifest-schema';
import type { PackageRelations } from '../manifest/read-schema';
import { alternativesOf, demandsOf, nameOf, RelatedPackages } from '../records/debian-relations';
import type { Difference } from './difference';

const DPKG_STATUS_PATH = '/var/lib/dpkg/status';

/**
 * Whether the update would do the same to the packages of this machine: its own packages must still have what they need
 * when the update's are as it leaves them, and must meet what the update's demand just as the representative's did.
 */
export async function examinePackages(manifest: Manifest, image: Image): Promise<Difference[]> {
  const { packageRelations } = manifest;
  if (packageRelations === undefined || image.os.packageSystem !== 'dpkg') return [];
  const touched = new Set(
    manifest.operations.flatMap((operation) =>
      operation.kind === 'put-record' && operation.path === DPKG_STATUS_PATH
        ? operation.records.map(({ key }) => key)
        : [],
    ),
  );
  const found = await installedStanzas(image);
  const others = [...found.values()].filter(({ key }) => !touched.has(key));
  return [
    ...demandDifferences(packageRelations, new RelatedPackages(others)),
    ...brokenPackages(packageRelations, found, others),
  ];
}

function demandDifferences({ demands }: PackageRelations, others: RelatedPackages): Difference[] {
  return demands.flatMap(({ package: key, kind, relation, met }): Difference[] => {
    if (kind === 'requires') {
      const isMet = others.isMet(relation, key);
      if (isMet === met) return [];
      const why = met
        ? `the update's ${nameOf(key)} needs ${relation}, which this machine does not have`
        : `the update brings ${relation} for ${nameOf(key)}, and this machine has it already from elsewhere`;
      return [difference(key, met ? relation : `no ${relation}`, isMet ? relation : 'absent', why)];
    }
    const hit = others.othersMeeting(relation, key).map((other) => `${nameOf(other.key)} ${other.version}`);
    if ((hit.length === 0) === met) return [];
    const why = met
      ? `the update's ${nameOf(key)} cannot stand beside ${hit.join(', ')}, which this machine has`
      : `the update replaces ${relation}, which this machine does not have`;
    return [difference(key, met ? `no ${relation}` : relation, hit.join(', ') || 'absent', why)];
  });
}

/** Packages of this machine alone that the update would break, so that apt would do something else about them. */
function brokenPackages(
  { installed }: PackageRelations,
  found: ReadonlyMap<string, InstalledStanza>,
  others: readonly InstalledStanza[],
): Difference[] {
  const updated = installed.map(({ package: key, version, provides = '', multiArch = '' }) => ({
    key,
    version,
    provides,
    multiArch,
  }));
  const before = new RelatedPackages(found.values());
  const after = new RelatedPackages([...others, ...updated]);
  return others.flatMap(({ key, stanza }) => {
    const { requires, refuses } = demandsOf(stanza);
    const lost = requires.filter((group) => before.isMet(group, key) && !after.isMet(group, key));
    const newly = refuses.filter(
      (group) =>
        alternativesOf(group).length > 0 &&
        before.othersMeeting(group, key).length === 0 &&
        after.othersMeeting(group, key).length > 0,
    );
    return [
      ...lost.map((group) =>
        difference(
          key,
          'a package that the update leaves whole',
          `it needs ${group}`,
          `${nameOf(key)} on this machine needs ${group}, which the update takes away`,
        ),
      ),
      ...newly.map((group) =>
        difference(
          key,
          'a package that the update leaves whole',
          `it refuses ${group}`,
          `${nameOf(key)} on this machine cannot stand beside ${group}, which the update brings`,
        ),
      ),
    ];
  });
}

const difference = (record: string, expected: string, found: string, why: string): Difference => ({
  path: DPKG_STATUS_PATH,
  record,
  expected,
  found,
  why,
});
