import { ImageElvesError } from '../../core/errors';
import type { FilesystemReader } from '../../core/filesystem/filesystem';

/** Reads all that there is, a little of every file. @returns how many readings were refused with a typed error */
export async function readEverything(filesystem: FilesystemReader): Promise<number> {
  let refused = 0;
  const tolerate = async (reading: Promise<unknown>): Promise<void> => {
    try {
      await reading;
    } catch (error) {
      if (!(error instanceof ImageElvesError)) throw error;
      refused++;
    }
  };
  await tolerate(filesystem.freeBytes());
  for await (const { path, stat } of filesystem.scan()) {
    await tolerate(filesystem.xattrs(path));
    if (stat.type === 'file')
      await tolerate(filesystem.readFile(path, { offsetBytes: 0, lengthBytes: 10_000 }));
    if (stat.type === 'directory') await tolerate(filesystem.readdir(path));
    if (stat.type === 'symlink') await tolerate(filesystem.readlink(path));
  }
  return refused;
}
