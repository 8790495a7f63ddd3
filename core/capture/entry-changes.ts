import type { Entry } from '../footprint/read-entry';
import type { LinkGroups } from './link-groups';

/** One path of the representative, as it was and as it is. */
export interface EntryChange {
  readonly path: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** How one inode of the representative came to be what it is: what has to be done to the names it has now. */
export type InodeChange =
  /** Make it anew under `leader`, and every other of `names` a link to it. */
  | { readonly kind: 'put'; readonly leader: string; readonly links: readonly string[] }
  /** Only mode, owner or attributes changed, under each of `names`; `links` are new names. */
  | { readonly kind: 'metadata'; readonly names: readonly string[]; readonly links: readonly string[] }
  /** The inode is as it was; `links` are new names of it, `existing` an old one. */
  | { readonly kind: 'link'; readonly existing: string; readonly links: readonly string[] };

/**
 * Decides, inode by inode, what the representative's update comes to. A file that was rewritten with what it had before
 * is no change, unless it was one of several hard links before and stands alone now, or the reverse.
 */
export function inodeChanges(
  changes: ReadonlyMap<string, EntryChange>,
  groupsBefore: LinkGroups,
  groupsAfter: LinkGroups,
): InodeChange[] {
  const found: InodeChange[] = [];
  const done = new Set<readonly string[]>();
  for (const group of groupsAfter.values()) {
    if (done.has(group)) continue;
    done.add(group);
    const change = changeOf(group);
    if (change !== undefined) found.push(change);
  }
  return found;

  function changeOf(group: readonly string[]): InodeChange | undefined {
    const survivors = group.filter((name) => groupsBefore.has(name));
    const links = group.filter((name) => !groupsBefore.has(name));
    const [first] = survivors;
    if (first === undefined) return { kind: 'put', leader: group[0]!, links: group.slice(1) };
    const wereOne = survivors.every(
      (name) => isSame(survivingGroupBefore(name), survivors) || keptItsInode(changes.get(name)!),
    );
    const { before, after } = changes.get(first)!;
    if (wereOne && before!.digest === after!.digest) {
      return links.length === 0 ? undefined : { kind: 'link', existing: first, links };
    }
    if (wereOne && isSameContent(before!, after!)) return { kind: 'metadata', names: survivors, links };
    return { kind: 'put', leader: first, links: group.filter((name) => name !== first) };
  }

  /** The names that its inode had, as far as something other than a directory stands there now. */
  function survivingGroupBefore(name: string): string[] {
    return groupsBefore.get(name)!.filter((other) => groupsAfter.has(other));
  }
}

/** Names that left its inode are put anew under theirs, so that it needs nothing itself. */
function keptItsInode({ before, after }: EntryChange): boolean {
  return before!.stat.inode === after!.stat.inode;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function isSameContent(before: Entry, after: Entry): boolean {
  const device = ({ stat }: Entry): string => `${stat.device?.major}:${stat.device?.minor}`;
  return (
    before.stat.type === after.stat.type &&
    before.content === after.content &&
    before.target === after.target &&
    device(before) === device(after)
  );
}
