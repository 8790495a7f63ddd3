import type { FilesystemReader } from '../filesystem/filesystem';
import type { PackageRelations } from '../manifest/read-schema';
import { dpkgStatusText } from '../records/debian-packages';
import { demandsOf, type RelatedPackage, RelatedPackages, relationGroups } from '../records/debian-relations';
import { fieldText, packageKey } from '../records/dpkg-status';
import { parseStanza, splitStanzas } from '../records/stanzas';

/** One installed package with all that dpkg knows of it. */
export interface InstalledStanza extends RelatedPackage {
  readonly stanza: string;
}

/** The installed packages by `name:architecture`. Empty where there is no dpkg database. */
export async function installedStanzas(image: FilesystemReader): Promise<Map<string, InstalledStanza>> {
  const found = new Map<string, InstalledStanza>();
  const text = await dpkgStatusText(image);
  if (text === undefined) return found;
  for (const { body, line } of splitStanzas(text)) {
    if (body === '') continue;
    const fields = parseStanza(body, 'dpkg-status', line);
    const key = packageKey(fields);
    if (key === undefined || fields.get('status')?.endsWith(' ok installed') !== true) continue;
    found.set(key, {
      key,
      version: fields.get('version') ?? '',
      provides: fieldText(body, 'Provides'),
      multiArch: fields.get('multi-arch') ?? '',
      stanza: body,
    });
  }
  return found;
}

/**
 * What the update's packages newly demand of others, and whether the representative met it with packages that the update
 * does not touch: apt installs what is not there. On a machine where that is otherwise, it would install, remove or keep
 * back something else. Of dpkg's packages only: those of rpm are held against each other when their records are put.
 */
export async function packageRelations(
  before: FilesystemReader,
  after: FilesystemReader,
  touched: ReadonlySet<string>,
): Promise<PackageRelations | undefined> {
  if (touched.size === 0) return undefined;
  const [old, now] = [await installedStanzas(before), await installedStanzas(after)];
  if (now.size === 0) return undefined;
  const others = new RelatedPackages([...old.values()].filter(({ key }) => !touched.has(key)));
  const all = new RelatedPackages(now.values());
  const installed: PackageRelations['installed'] = [];
  const demands: PackageRelations['demands'] = [];
  const recommended: PackageRelations['demands'] = [];
  for (const key of [...touched].sort()) {
    const found = now.get(key);
    if (found === undefined) continue;
    installed.push({
      package: key,
      version: found.version,
      ...(found.provides !== '' && { provides: found.provides }),
      ...(found.multiArch !== '' && { multiArch: found.multiArch }),
    });
    const known = old.get(key);
    const had = demandsOf(known?.stanza ?? '');
    const has = demandsOf(found.stanza);
    for (const relation of has.requires.filter((group) => !had.requires.includes(group)))
      demands.push({ package: key, kind: 'requires', relation, met: others.isMet(relation, key) });
    for (const relation of has.refuses.filter((group) => !had.refuses.includes(group))) {
      const met = others.othersMeeting(relation, key).length === 0;
      demands.push({ package: key, kind: 'refuses', relation, met });
    }
    if (known !== undefined) continue;
    for (const relation of relationGroups(fieldText(found.stanza, 'Recommends')))
      recommended.push({ package: key, kind: 'requires', relation, met: others.isMet(relation, key) });
  }
  // Where a recommendation stayed open, the machine is set to leave them so.
  if (recommended.every(({ relation, package: key }) => all.isMet(relation, key)))
    demands.push(...recommended);
  return { installed, demands };
}
