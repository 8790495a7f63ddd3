import type { Image } from '../image/image';
import { isInitramfs } from '../initramfs/initramfs-content';
import type { Operation } from '../manifest/manifest-schema';
import { compareDebianVersions } from '../records/debian-version';

/** How package managers name the file that they put beside settings which were changed locally, or keep of them. */
const BESIDE = /\.(dpkg-(dist|old|new|bak)|ucf-(dist|old)|rpm(new|save|orig))$/;

export function isBeside(path: string): boolean {
  return BESIDE.test(path);
}

/** The path of the settings that a file was put beside. */
export function withoutBeside(path: string): string {
  return path.replace(BESIDE, '');
}

/**
 * Entries on which an update's outcome depends, as its operations alone tell, recorded or not:
 *
 * - Settings that had been changed locally: dpkg(1) `--force-confold`, ucf(1) and rpm keep them and put the new version
 *   beside. On a machine with the package's own settings the same update replaces them.
 * - The initramfs of the kernel before, where the update made the first of a new kernel: what a machine's own settings and
 *   hardware put in the one (MODULES=dep, a host-only dracut, microcode), they put in the other.
 *
 * @param before the representative before the update
 */
export async function impliedReads(operations: readonly Operation[], before: Image): Promise<string[]> {
  const touched = new Set(operations.map(({ path }) => path));
  const paths = new Set<string>();
  for (const { kind, path } of operations) {
    if (kind === 'put-file' && isBeside(path)) paths.add(withoutBeside(path));
  }
  const isNew = operations.some(
    (operation) =>
      operation.kind === 'put-file' && operation.before === 'absent' && isInitramfs(operation.path),
  );
  if (isNew) {
    const newest = await newestInitramfs(before);
    if (newest !== undefined) paths.add(newest);
  }
  return [...paths].filter((path) => !touched.has(path)).sort();
}

async function newestInitramfs(image: Image): Promise<string | undefined> {
  if ((await image.lstat('/boot'))?.type !== 'directory') return undefined;
  const paths = (await image.readdir('/boot')).flatMap(({ name, type }) =>
    type === 'file' && isInitramfs(`/boot/${name}`) ? [`/boot/${name}`] : [],
  );
  return paths.sort(compareDebianVersions).at(-1);
}
