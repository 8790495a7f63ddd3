import type { BlockDevice } from '../block-device/block-device';
import type { ImageElvesError } from '../errors';
import type { FilesystemChange, FilesystemReader, FilesystemWriter } from '../filesystem/filesystem';

/**
 * One change to a filesystem, with everything decided: records are merged, templates rendered, contents at hand.
 * Paths are paths of the image; the engine finds the filesystem that holds them.
 */
export type ResolvedOperation =
  | FilesystemChange
  /** Nothing is done where nothing stands, or where chattr protects what does. */
  | { readonly kind: 'set-time'; readonly path: string; readonly mtimeNs: bigint };

/** One filesystem of the image that may be changed, and where fstab mounts it. */
export interface WritableMount {
  readonly mountPoint: string;
  readonly kind: string;
  readonly filesystem: FilesystemReader;
  /** The same filesystem for the direct engine; undefined where only the kernel writes it. */
  readonly writer?: FilesystemWriter;
  /** Why there is no writer. */
  readonly refusal?: ImageElvesError;
  /** The bytes of this filesystem alone; undefined for filesystems that stand on no device (in tests). */
  readonly device?: BlockDevice;
  /** btrfs only: the subvolume that is mounted here. */
  readonly subvolume?: string;
}

/**
 * Performs operations in order on the overlay of an image. All or nothing: on any error the caller drops the overlay.
 * The direct engine is TypeScript (core/apply/direct-engine.ts); the kernel engine (core/apply/kernel-engine.ts) lets
 * Linux do it.
 */
export interface ApplyEngine {
  readonly name: 'direct' | 'kernel';
  /** @throws ApplyError naming the operation, its path, and the cause */
  perform(
    mounts: readonly WritableMount[],
    operations: AsyncIterable<ResolvedOperation>,
  ): Promise<EngineResult>;
}

export interface EngineResult {
  /** Without those that only set a time. */
  readonly operations: number;
  /** Bytes of content put. */
  readonly contentBytes: number;
}
