const AT_FDCWD = /^f*ffffff9c$/;
/** Steps of work that forks and renamed directories may cost in all; more is no update's doing. */
const MAX_STEPS = 50_000_000;

/** Where the descriptors of directories lead, and which path an inode had last: names are told relative to these. */
export class AuditFolders {
  private readonly descriptors = new Map<number, Map<number, string>>();
  private readonly inodes = new Map<string, string>();
  private steps = 0;

  /** Whether there was more to follow than is followed. */
  get isExhausted(): boolean {
    return this.steps > MAX_STEPS;
  }

  /** What a relative name is relative to; undefined when that is not known. */
  base(pid: number, descriptor: string | undefined, workingFolder: string | undefined): string | undefined {
    if (descriptor === undefined || AT_FDCWD.test(descriptor)) return workingFolder;
    return this.descriptors.get(pid)?.get(descriptorNumber(descriptor));
  }

  opened(pid: number, descriptor: number, folder: string | undefined): void {
    const known = this.descriptors.get(pid);
    if (folder === undefined) known?.delete(descriptor);
    else if (known) known.set(descriptor, folder);
    else this.descriptors.set(pid, new Map([[descriptor, folder]]));
  }

  duplicated(pid: number, from: string, to: number): void {
    this.opened(pid, to, this.descriptors.get(pid)?.get(descriptorNumber(from)));
  }

  forked(parent: number, child: number): void {
    const known = this.descriptors.get(parent);
    this.steps += known?.size ?? 0;
    if (known === undefined || known.size === 0 || this.isExhausted) this.descriptors.delete(child);
    else this.descriptors.set(child, new Map(known));
  }

  learn(inode: string | undefined, path: string): void {
    if (inode !== undefined) this.inodes.set(inode, path);
  }

  pathOf(inode: string | undefined): string | undefined {
    return inode === undefined ? undefined : this.inodes.get(inode);
  }

  /** All below has other paths now. */
  renamed(from: string, to: string): void {
    const below = `${from}/`;
    for (const table of [this.inodes, ...this.descriptors.values()]) {
      this.steps += table.size;
      if (this.isExhausted) return;
      for (const [key, path] of table) {
        if (path !== from && !path.startsWith(below)) continue;
        (table as Map<unknown, string>).set(key, `${to}${path.slice(from.length)}`);
      }
    }
  }
}

const descriptorNumber = (hexadecimal: string): number => Number.parseInt(hexadecimal, 16) | 0;
