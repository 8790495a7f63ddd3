import { ImageElvesError } from '../../core/errors';
import type { FilesystemReader } from '../../core/filesystem/filesystem';

/** Files whose content and attributes are asked for: each inode once, and not all of a hostile million. */
const MOST_FILES = 150;
/** Entries of a scan. The corpus has some hundreds; a mutated image may claim more, but need not show them all. */
const MOST_ENTRIES = 20_000;
const HEAD_BYTES = 8192;

/** Reads all that there is, a little of every file. @returns how many readings were refused by an error of ours */
export async function readEverything(filesystem: FilesystemReader): Promise<number> {
  let refused = 0;
  const tolerate = async (reading: () => Promise<unknown>): Promise<void> => {
    try {
      await reading();
    } catch (error) {
      if (!(error instanceof ImageElvesError)) throw error;
      refused += 1;
    }
  };
  await tolerate(() => filesystem.freeBytes());
  const seen = new Set<number>();
  let entries = 0;
  await tolerate(async () => {
    for await (const { path, stat } of filesystem.scan()) {
      if (++entries > MOST_ENTRIES) break;
      if (seen.has(stat.inode) || seen.size > MOST_FILES) continue;
      seen.add(stat.inode);
      await tolerate(() => filesystem.xattrs(path));
      await tolerate(() => filesystem.lstat(path));
      if (stat.type === 'directory') await tolerate(() => filesystem.readdir(path));
      if (stat.type === 'symlink') await tolerate(() => filesystem.readlink(path));
      if (stat.type !== 'file') continue;
      await tolerate(() => filesystem.readFile(path, { offsetBytes: 0, lengthBytes: HEAD_BYTES }));
      const offsetBytes = Math.max(0, stat.sizeBytes - HEAD_BYTES);
      if (offsetBytes > 0)
        await tolerate(() => filesystem.readFile(path, { offsetBytes, lengthBytes: HEAD_BYTES }));
    }
  });
  return refused;
}
