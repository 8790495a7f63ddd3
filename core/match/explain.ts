import type { Difference } from './difference';

/** A machine that was compared with a manifest and differs. */
export interface FallenOut {
  /** What people call it. */
  readonly name: string;
  readonly differences: readonly Pick<Difference, 'path' | 'record' | 'found' | 'why'>[];
  readonly differenceCount: number;
  /** Version by package, where packages were read. */
  readonly packages?: Readonly<Record<string, string>>;
}

export interface Explanation {
  /** On which the update was run: what people call it, and its packages. */
  readonly representative: Pick<FallenOut, 'name' | 'packages'>;
  /** All that differ from the same manifest. */
  readonly fallenOut: readonly FallenOut[];
}

/** Machines named of those that share a difference. */
const NAMED = 3;

/** Why a machine was not patched by a manifest: one line, from the difference that says the most. */
export function explain(one: FallenOut, { representative, fallenOut }: Explanation): string {
  const [first] = [...one.differences].sort((a, b) => rankOf(a) - rankOf(b));
  if (first === undefined) return '';
  const more = one.differenceCount - 1;
  const sharing = fallenOut.filter(
    (other) => other !== one && other.differences.some((difference) => isSame(difference, first)),
  );
  return [
    `It is not like ${representative.name}: ${inWords(first, one, representative)}`,
    ...(sharing.length === 0 ? [] : [`the same on ${listed(sharing.map(({ name }) => name))}`]),
    ...(more <= 0 ? [] : [`${more} more ${more === 1 ? 'difference' : 'differences'}`]),
  ].join('; ');
}

const isSame = (a: FallenOut['differences'][number], b: FallenOut['differences'][number]): boolean =>
  a.path === b.path && a.record === b.record && a.found === b.found;

/** Lower says more: the system as a whole, a package, a setting that a person made, anything else. */
function rankOf({ path, record }: FallenOut['differences'][number]): number {
  if (path === '/') return 0;
  if (packageOf(path, record) !== undefined) return 1;
  if (path.startsWith('/etc/')) return 2;
  return path.startsWith('/usr/') ? 3 : 4;
}

function inWords(
  { path, record, found, why }: FallenOut['differences'][number],
  { packages: here = {} }: FallenOut,
  { name, packages: there = {} }: Explanation['representative'],
): string {
  if (path === '/') return why;
  const known = packageOf(path, record);
  if (known !== undefined && here[known] !== there[known]) {
    if (here[known] === undefined) return `package ${known} is not installed, as it is on ${name}`;
    if (there[known] === undefined) return `package ${known} is installed, and not on ${name}`;
    return `package ${known} is ${here[known]}, and ${there[known]} on ${name}`;
  }
  return `${place(path, record)}: ${why}${isWords(found) && !why.includes(found) ? ` (${found})` : ''}`;
}

/** Tables whose records people know by another word. */
const TABLES: readonly (readonly [pattern: RegExp, noun: string])[] = [
  [/^\/var\/lib\/dpkg\/(status|available)$|\/rpmdb\.sqlite$/, 'package'],
  [/^\/etc\/(passwd|shadow|subuid)$/, 'user'],
  [/^\/etc\/(group|gshadow|subgid)$/, 'group'],
  [/^\/var\/lib\/dpkg\/alternatives\//, 'alternative'],
];

function packageOf(path: string, record: string | undefined): string | undefined {
  return TABLES[0]![0].test(path) ? record : undefined;
}

function place(path: string, record: string | undefined): string {
  if (record === undefined) return path;
  const noun = TABLES.find(([pattern]) => pattern.test(path))?.[1];
  return noun === undefined ? `"${record}" in ${path}` : `${noun} ${record}`;
}

/** Not a digest, and not what `why` says anyhow. */
const isWords = (found: string): boolean => found !== 'absent' && !found.startsWith('sha256:');

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMED);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest} others`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
