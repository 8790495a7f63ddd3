import { compareDebianVersions } from './debian-version';
import { fieldText } from './dpkg-status';

/** One alternative of a dependency: `libc6 (>= 2.36)` (deb-control(5)). */
export interface Relation {
  readonly name: string;
  /** Empty when none is given; `any` for a package of any architecture that allows it. */
  readonly architecture: string;
  readonly operator?: string;
  readonly version?: string;
}

/** What a relation is looked up in. */
export interface RelatedPackage {
  /** `name:architecture` */
  readonly key: string;
  readonly version: string;
  /** The field Provides. */
  readonly provides: string;
  /** The field Multi-Arch. */
  readonly multiArch: string;
}

const RELATION =
  /^([a-z0-9][a-z0-9+.-]*)(?::([a-z0-9-]+))?(?:\s*\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s()]+)\s*\))?$/i;
/** Far more than any package has. */
const MOST_GROUPS = 10_000;

/** The groups of a field, each as it is written: one of its alternatives is enough. */
export function relationGroups(field: string): string[] {
  return field
    .split(',')
    .map((group) => group.replace(/\s+/g, ' ').trim())
    .filter((group) => group !== '')
    .slice(0, MOST_GROUPS);
}

/** The alternatives of a group; what does not read as one is left out. */
export function alternativesOf(group: string): Relation[] {
  return group.split('|').flatMap((text) => {
    const [, name, architecture = '', operator, version] = RELATION.exec(text.trim()) ?? [];
    if (name === undefined) return [];
    return [{ name, architecture, ...(operator && version && { operator, version }) }];
  });
}

/** The packages of a machine, to ask whether what a package demands of others is there. */
export class RelatedPackages {
  private readonly byName = new Map<string, RelatedPackage[]>();
  private readonly providers = new Map<string, { by: RelatedPackage; version: string | undefined }[]>();

  constructor(packages: Iterable<RelatedPackage>) {
    for (const found of packages) {
      const name = nameOf(found.key);
      addTo(this.byName, name, found);
      for (const group of relationGroups(found.provides)) {
        const [provided] = alternativesOf(group);
        if (provided === undefined) continue;
        addTo(this.providers, provided.name, { by: found, version: provided.version });
      }
    }
  }

  /** Whether one of the alternatives is there, for a package of this key. */
  isMet(group: string, forKey: string): boolean {
    return alternativesOf(group).some((relation) => this.found(relation, forKey).length > 0);
  }

  /** The packages that meet a relation, the package itself aside: none conflicts with itself. */
  othersMeeting(group: string, forKey: string): RelatedPackage[] {
    return alternativesOf(group)
      .flatMap((relation) => this.found(relation, forKey))
      .filter(({ key }) => nameOf(key) !== nameOf(forKey));
  }

  private found(relation: Relation, forKey: string): RelatedPackage[] {
    const real = (this.byName.get(relation.name) ?? []).filter(
      (one) => fitsArchitecture(one, relation, forKey) && fitsVersion(one.version, relation),
    );
    // Only a version that is provided meets a relation with one (deb-control(5), "Provides").
    const virtual = (this.providers.get(relation.name) ?? []).filter(({ version }) =>
      relation.operator === undefined ? true : version !== undefined && fitsVersion(version, relation),
    );
    return [...real, ...virtual.map(({ by }) => by)];
  }
}

function addTo<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const known = lists.get(key);
  if (known) known.push(value);
  else lists.set(key, [value]);
}

function fitsArchitecture(
  { key, multiArch }: RelatedPackage,
  { architecture: wanted }: Relation,
  forKey: string,
): boolean {
  const own = architectureOf(key);
  const others = architectureOf(forKey);
  if (wanted !== '' && wanted !== 'any' && wanted !== 'native') return own === wanted;
  return own === 'all' || others === 'all' || own === others || multiArch === 'foreign' || wanted === 'any';
}

function fitsVersion(found: string, { operator, version }: Relation): boolean {
  if (operator === undefined || version === undefined) return true;
  const order = compareDebianVersions(found, version);
  if (operator === '=') return order === 0;
  if (operator === '<<') return order < 0;
  if (operator === '>>') return order > 0;
  // deb-control(5): `<` and `>` are the old way of writing `<=` and `>=`.
  return operator.startsWith('<') ? order <= 0 : order >= 0;
}

/** What a package demands, by the text of its stanza. */
export function demandsOf(stanza: string): { readonly requires: string[]; readonly refuses: string[] } {
  const groups = (...fields: string[]): string[] =>
    fields.flatMap((field) => relationGroups(fieldText(stanza, field)));
  return { requires: groups('Pre-Depends', 'Depends'), refuses: groups('Conflicts', 'Breaks') };
}

export const nameOf = (key: string): string => key.slice(0, key.lastIndexOf(':'));
const architectureOf = (key: string): string => key.slice(key.lastIndexOf(':') + 1);
