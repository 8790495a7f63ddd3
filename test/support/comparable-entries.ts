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
  const lines: string[] = [];
  for (const entry of entries) {
    const { path, type, inode } = entry;
    if (path.startsWith('/lost+found')) continue;
    const sameInodeAs = firstName.get(inode) ?? path;
    firstName.set(inode, sameInodeAs);
    const left = new Set(['inode', 'ctimeNs']);
    if (type === 'directory') left.add('sizeBytes');
    if (type === 'symlink') left.add('mode');
    if (type === 'directory' && !directoryTimes) left.add('mtimeNs');
    const told = Object.keys(entry).filter((name) => !left.has(name));
    lines.push(
      `${told.map((name) => `${name} ${JSON.stringify(entry[name])}`).join(', ')}, is ${sameInodeAs}`,
    );
  }
  return lines;
}
