import type { OsIdentity } from '../image/os-identity';
import type { Profile } from '../profile/profile';

export interface Comparison {
  /** Whether everything that the update is thought to depend on is equal, as far as both have it. */
  readonly agrees: boolean;
  /** Share of packages that both have of those that either has (Jaccard index), 0 to 1. */
  readonly similarity: number;
  /** For people: what sets them apart. */
  readonly note: string;
}

/** How an image stands to the representative of a class that it may join. */
export function compareWithAnchor(profile: Profile, anchor: Profile): Comparison {
  const names = new Set([...Object.keys(profile.packages), ...Object.keys(anchor.packages)]);
  const shared = [...names].filter((name) => name in profile.packages && name in anchor.packages);
  const agrees =
    osKey(profile.os) === osKey(anchor.os) &&
    haveEqualEntries(profile, anchor) &&
    shared.every((name) => profile.packages[name] === anchor.packages[name]);
  const similarity = names.size === 0 ? 1 : shared.length / names.size;
  return { agrees, similarity, note: noteOf(profile, anchor) };
}

export function osWords({ id, versionId, architecture }: OsIdentity): string {
  return [id, versionId, architecture].filter((word) => word !== '').join(' ');
}

function osKey(os: OsIdentity): string {
  return JSON.stringify([os.id, os.versionId, os.architecture, os.packageSystem]);
}

function haveEqualEntries(a: Profile, b: Profile): boolean {
  const paths = new Set([...Object.keys(a.entries), ...Object.keys(b.entries)]);
  return [...paths].every((path) => (a.entries[path] ?? 'absent') === (b.entries[path] ?? 'absent'));
}

function noteOf(profile: Profile, anchor: Profile): string {
  const own = Object.keys(profile.packages).filter((name) => !(name in anchor.packages));
  const missing = Object.keys(anchor.packages).filter((name) => !(name in profile.packages));
  const listed = (names: string[]): string =>
    `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
  const parts = [];
  if (own.length > 0) parts.push(`it has ${listed(own)} besides`);
  if (missing.length > 0) parts.push(`it lacks ${listed(missing)}`);
  return parts.length === 0 ? 'the packages are the same' : parts.join(', ');
}
