import { namedDifference, NAMED_DIFFERENCES, type NamedDifference } from './named-differences';

/** One line of list_tree.py: what the kernel shows of one path. */
export interface TreeEntry {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Which file it is: device and inode number. */
  readonly inode: string;
  readonly mtime: number;
  readonly xattrs: Readonly<Record<string, string>>;
  readonly links?: number;
  /** SHA-256 of a file, target of a symbolic link, `major:minor` of a device. */
  readonly content?: string;
}

export interface TreeDifference {
  readonly path: string;
  readonly what: string;
  readonly offline: string;
  readonly online: string;
  readonly named?: NamedDifference;
}

export interface TreeComparison {
  readonly paths: number;
  readonly differences: readonly TreeDifference[];
  /** Differences that no rule names: each is a defect. */
  readonly unexplained: readonly TreeDifference[];
}

export function parseListing(text: string): Map<string, TreeEntry> {
  const entries = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TreeEntry);
  return new Map(entries.map((entry) => [entry.path, entry]));
}

/** First name of every group of hard links, by path: the link structure without inode numbers. */
function linkGroups(tree: ReadonlyMap<string, TreeEntry>): Map<string, string> {
  const first = new Map<string, string>();
  const groups = new Map<string, string>();
  for (const { path, type, inode } of tree.values()) {
    if (type !== 'file') continue;
    const leader = first.get(inode) ?? path;
    first.set(inode, leader);
    groups.set(path, leader);
  }
  return groups;
}

/**
 * Compares an offline patched tree with the tree of the same machine updated online: every path's type, content, mode,
 * owner, xattrs and link structure. Times are not compared.
 *
 * @param sameRecords says whether two files of unlike content hold the same records, for files that are tables
 * @param rules differences that have a reason
 */
export async function compareTrees(
  offline: ReadonlyMap<string, TreeEntry>,
  online: ReadonlyMap<string, TreeEntry>,
  sameRecords: (path: string) => Promise<boolean>,
  rules: readonly NamedDifference[] = NAMED_DIFFERENCES,
): Promise<TreeComparison> {
  const differences: TreeDifference[] = [];
  const offlineLinks = linkGroups(offline);
  const onlineLinks = linkGroups(online);
  const paths = new Set([...offline.keys(), ...online.keys()]);
  for (const path of paths) {
    const left = offline.get(path);
    const right = online.get(path);
    const report = (what: string, a: unknown, b: unknown): void => {
      const named = namedDifference(path, what, rules);
      differences.push({ path, what, offline: String(a), online: String(b), named });
    };
    if (left === undefined || right === undefined) {
      report('exists', left?.type ?? 'absent', right?.type ?? 'absent');
      continue;
    }
    for (const field of ['type', 'mode', 'uid', 'gid'] as const) {
      if (left[field] !== right[field]) report(field, left[field], right[field]);
    }
    if (left.content !== right.content && !(await sameRecords(path)))
      report('content', left.content, right.content);
    const xattrs = [JSON.stringify(left.xattrs), JSON.stringify(right.xattrs)];
    if (xattrs[0] !== xattrs[1]) report('xattrs', xattrs[0], xattrs[1]);
    if (left.type === right.type && offlineLinks.get(path) !== onlineLinks.get(path)) {
      report('hard links', offlineLinks.get(path), onlineLinks.get(path));
    }
  }
  return {
    paths: paths.size,
    differences,
    unexplained: differences.filter(({ named }) => named === undefined),
  };
}
