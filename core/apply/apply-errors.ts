import { ImageElvesError } from '../errors';
import type { Difference, Differences } from '../match/difference';

function described({ path, record, why }: Difference): string {
  return `${path}${record === undefined ? '' : ` [${record}]`}: ${why}`;
}

/** The image is not what the manifest expects. Nothing was written. */
export class ManifestMismatchError extends ImageElvesError {
  override readonly name = 'ManifestMismatchError';
  constructor(readonly found: Differences) {
    super(
      `The manifest does not fit this image: ${found.differenceCount} difference(s), first ${found.differences.slice(0, 3).map(described).join('; ')}.`,
      {
        differenceCount: found.differenceCount,
        differences: found.differences.slice(0, 20).map(described),
      },
      'The machine changed after it was matched, or it needs a representative of its own. Run the update again.',
    );
  }
}

/** The update needs more room than the filesystem has. Nothing was written. */
export class NotEnoughSpaceError extends ImageElvesError {
  override readonly name = 'NotEnoughSpaceError';
  constructor(mountPoint: string, neededBytes: number, freeBytes: number) {
    super(
      `The filesystem at ${mountPoint} has ${freeBytes} bytes free, the update needs ${neededBytes}.`,
      { mountPoint, neededBytes, freeBytes },
      'Free some space on this machine, or enlarge its volume.',
    );
  }
}

/** One operation could not be performed. The overlay is dropped: the image stays as it was. */
export class ApplyError extends ImageElvesError {
  override readonly name = 'ApplyError';
  constructor(operation: { kind: string; path: string }, problem: string, options?: ErrorOptions) {
    super(
      `${operation.kind} ${operation.path} failed: ${problem}.`,
      { operation: operation.kind, path: operation.path, problem },
      'Nothing of this machine was changed.',
      options,
    );
  }
}

/** The image written is not what the manifest leaves, or its filesystem does not hang together. It is dropped. */
export class ApplyVerificationError extends ImageElvesError {
  override readonly name = 'ApplyVerificationError';
  constructor(problems: readonly string[]) {
    super(
      `The patched image did not pass verification, ${problems.length} problem(s), first ${problems.slice(0, 3).join('; ')}.`,
      { problemCount: problems.length, problems: problems.slice(0, 20) },
      'Nothing of this machine was changed. Please report this: it is a fault of ImageElves.',
    );
  }
}

/** The kernel was to judge the result, and this deployment has none. */
export class KernelMissingError extends ImageElvesError {
  override readonly name = 'KernelMissingError';
  constructor() {
    super(
      'The result is to be checked by the kernel, but this deployment is without the kernel engine.',
      {},
      'Deploy with kernelEngine: true, or start the run without "verify": "kernel".',
    );
  }
}

export { described as describeDifference };
