import { ImageElvesError } from '../errors';
import { UnsupportedFilesystemError } from '../filesystem/errors';
import type { FilesystemWriter, ModificationTime } from '../filesystem/filesystem';
import type { ApplyEngine, EngineResult, ResolvedOperation, WritableMount } from './apply-engine';
import { ApplyError } from './apply-errors';

/** Performs operations with our own filesystem writers, in this process. */
export class DirectEngine implements ApplyEngine {
  readonly name = 'direct';

  async perform(
    mounts: readonly WritableMount[],
    operations: AsyncIterable<ResolvedOperation>,
  ): Promise<EngineResult> {
    let count = 0;
    let contentBytes = 0;
    let times: TimeOperation[] = [];
    const setTimes = async (): Promise<void> => {
      const [first] = times;
      if (first !== undefined) await described(first, () => setModificationTimes(mounts, times));
      times = [];
    };
    for await (const operation of operations) {
      if (operation.kind === 'set-time') {
        times.push(operation);
        continue;
      }
      await setTimes();
      await described(operation, () => perform(mounts, operation));
      count += 1;
      if (operation.kind === 'put-file') contentBytes += operation.content.length;
    }
    await setTimes();
    return { operations: count, contentBytes };
  }
}

type TimeOperation = Extract<ResolvedOperation, { kind: 'set-time' }>;

/** Gives what an operation throws the operation's name. */
async function described(operation: ResolvedOperation, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    if (cause instanceof ApplyError) throw cause;
    const problem = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
    throw new ApplyError(operation, problem, { cause });
  }
}

/** Times that follow each other are set together: there are thousands of them, each a few bytes. */
async function setModificationTimes(
  mounts: readonly WritableMount[],
  operations: readonly TimeOperation[],
): Promise<void> {
  const byMount = new Map<WritableMount, ModificationTime[]>();
  for (const { path, mtimeNs } of operations) {
    const { mount, inside } = placeOf(mounts, path);
    const times = byMount.get(mount) ?? [];
    byMount.set(mount, times);
    times.push({ path: inside, mtimeNs });
  }
  for (const [mount, times] of byMount) await writerOf(mount).setModificationTimes(times);
}

async function perform(
  mounts: readonly WritableMount[],
  operation: Exclude<ResolvedOperation, TimeOperation>,
): Promise<void> {
  const { mount, inside } = placeOf(mounts, operation.path);
  const filesystem = writerOf(mount);
  switch (operation.kind) {
    case 'put-file':
      return filesystem.writeFile(inside, operation.content, operation.metadata);
    case 'make-directory':
      return filesystem.mkdir(inside, operation.metadata);
    case 'make-symlink':
      return filesystem.symlink(inside, operation.target, operation.metadata);
    case 'make-node':
      return filesystem.mknod(inside, operation.type, operation.device, operation.metadata);
    case 'remove':
      return filesystem.remove(inside);
    case 'set-metadata':
      return filesystem.setMetadata(inside, operation.metadata);
    case 'make-hard-link': {
      const existing = placeOf(mounts, operation.existingPath);
      if (existing.mount !== mount) {
        throw new ApplyError(operation, `${operation.existingPath} is on another filesystem of this machine`);
      }
      return filesystem.link(existing.inside, inside);
    }
  }
}

function writerOf({ writer, refusal, mountPoint, kind }: WritableMount): FilesystemWriter {
  if (writer === undefined) throw refusal ?? new UnsupportedFilesystemError(kind, mountPoint);
  return writer;
}

/** The mount with the longest mount point above the path, and the path within it. */
export function placeOf<M extends { readonly mountPoint: string }>(
  mounts: readonly M[],
  path: string,
): { mount: M; inside: string } {
  let found: M | undefined;
  for (const mount of mounts) {
    const holds =
      mount.mountPoint === '/' || path === mount.mountPoint || path.startsWith(`${mount.mountPoint}/`);
    if (holds && (found === undefined || mount.mountPoint.length > found.mountPoint.length)) found = mount;
  }
  if (found === undefined) throw new NoMountError(path);
  return {
    mount: found,
    inside: found.mountPoint === '/' ? path : path.slice(found.mountPoint.length) || '/',
  };
}

class NoMountError extends ImageElvesError {
  override readonly name = 'NoMountError';
  constructor(path: string) {
    super(`No filesystem of the image holds ${path}.`, { path });
  }
}
