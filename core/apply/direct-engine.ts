import { ImageElvesError } from '../errors';
import { UnsupportedFilesystemError } from '../filesystem/errors';
import type { FilesystemChange, FilesystemWriter, ModificationTime } from '../filesystem/filesystem';
import { FailedChangeError } from '../filesystem/write-errors';
import type { ApplyEngine, EngineResult, ResolvedOperation, WritableMount } from './apply-engine';
import { ApplyError } from './apply-errors';

/** Operations of one transaction: bitmaps and counters are written once for them, and little is done again for a fault. */
const MOST_TOGETHER = 16;

/** Performs operations with our own filesystem writers, in this process. */
export class DirectEngine implements ApplyEngine {
  readonly name = 'direct';

  async perform(
    mounts: readonly WritableMount[],
    operations: AsyncIterable<ResolvedOperation>,
  ): Promise<EngineResult> {
    let count = 0;
    let contentBytes = 0;
    let together: Placed[] = [];
    const finish = async (): Promise<void> => {
      const batch = together;
      together = [];
      await performTogether(batch);
    };
    for await (const operation of operations) {
      const placed = placedIn(mounts, operation);
      const [first] = together;
      if (first !== undefined && !goTogether(first, placed, together.length)) await finish();
      together.push(placed);
      if (operation.kind !== 'set-time') count += 1;
      if (operation.kind === 'put-file') contentBytes += operation.content.length;
    }
    await finish();
    return { operations: count, contentBytes };
  }
}

/** An operation, the mount that it is for, and what it is there. */
interface Placed {
  readonly operation: ResolvedOperation;
  readonly mount: WritableMount;
  readonly inside: ResolvedOperation;
}

/** Times follow each other in thousands, each a few bytes: the writer parts them. */
function goTogether(first: Placed, next: Placed, length: number): boolean {
  const isTime = first.operation.kind === 'set-time';
  return (
    first.mount === next.mount &&
    isTime === (next.operation.kind === 'set-time') &&
    (isTime || length < MOST_TOGETHER)
  );
}

/** @throws ApplyError with the name of the operation that failed */
async function performTogether(batch: readonly Placed[]): Promise<void> {
  const [first] = batch;
  if (first === undefined) return;
  const changes: FilesystemChange[] = [];
  const times: ModificationTime[] = [];
  for (const { inside } of batch) {
    if (inside.kind === 'set-time') times.push(inside);
    else changes.push(inside);
  }
  try {
    const writer = writerOf(first.mount);
    if (changes.length > 0) await writer.perform(changes);
    if (times.length > 0) await writer.setModificationTimes(times);
  } catch (error) {
    const isNamed = error instanceof FailedChangeError;
    throw described((isNamed ? batch[error.index] : undefined) ?? first, isNamed ? error.cause : error);
  }
}

function described({ operation }: Pick<Placed, 'operation'>, cause: unknown): ApplyError {
  const problem = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
  return new ApplyError(operation, problem, { cause });
}

/** @throws ApplyError */
function placedIn(mounts: readonly WritableMount[], operation: ResolvedOperation): Placed {
  const at = (path: string): { mount: WritableMount; inside: string } => {
    try {
      return placeOf(mounts, path);
    } catch (cause) {
      throw described({ operation }, cause);
    }
  };
  const { mount, inside: path } = at(operation.path);
  if (operation.kind !== 'make-hard-link') return { operation, mount, inside: { ...operation, path } };
  const existing = at(operation.existingPath);
  if (existing.mount !== mount) {
    throw new ApplyError(operation, `${operation.existingPath} is on another filesystem of this machine`);
  }
  return { operation, mount, inside: { ...operation, path, existingPath: existing.inside } };
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
