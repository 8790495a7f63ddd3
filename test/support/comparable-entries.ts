import type { KernelEntry } from './kernel-twin';

/**
 * What two writers of one filesystem must agree on, a line an entry: not inode numbers, sizes of directories, or times
 * that only the kernel's clock sets. Which paths are one inode is part of it.
 */
export function comparableEntries(
  entries: readonly KernelEntry[],
  { directoryTimes = true }: { directoryTimes?: boolean } = {},
): string[] {
  const firstName = new Map<unknown, string>();
  return entries
    .filter(({ path }) => !path.startsWith('/lost+found'))
    .map(({ inode, ctimeNs, ...entry }) => {
      if (ctimeNs === undefined) throw new Error(`${entry.path} has no ctime`);
      const sameInodeAs = firstName.get(inode) ?? entry.path;
      firstName.set(inode, sameInodeAs);
      const { sizeBytes, mode, mtimeNs, ...rest } = entry as Record<string, unknown>;
      return JSON.stringify({
        ...rest,
        sameInodeAs,
        ...(entry['type'] !== 'directory' && { sizeBytes }),
        ...(entry['type'] !== 'symlink' && { mode }),
        ...((entry['type'] !== 'directory' || directoryTimes) && { mtimeNs }),
      });
    });
}
