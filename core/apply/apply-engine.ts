import type { FilesystemWriter, Metadata } from '../filesystem/filesystem';

/**
 * One change to a filesystem, with everything decided: records are merged, templates rendered, contents at hand.
 * Paths are paths of the image; the engine finds the filesystem that holds them.
 */
export type ResolvedOperation =
  | {
      readonly kind: 'put-file';
      readonly path: string;
      readonly content: Uint8Array;
      readonly metadata: Metadata;
    }
  | { readonly kind: 'make-directory'; readonly path: string; readonly metadata: Metadata }
  | {
      readonly kind: 'make-symlink';
      readonly path: string;
      readonly target: string;
      readonly metadata: Metadata;
    }
  | { readonly kind: 'make-hard-link'; readonly path: string; readonly existingPath: string }
  | {
      readonly kind: 'make-node';
      readonly path: string;
      readonly type: 'character-device' | 'block-device' | 'fifo' | 'socket';
      readonly device: { readonly major: number; readonly minor: number };
      readonly metadata: Metadata;
    }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'set-metadata'; readonly path: string; readonly metadata: Metadata }
  /** Nothing is done where nothing stands, or where chattr protects what does. */
  | { readonly kind: 'set-time'; readonly path: string; readonly mtimeNs: bigint };

/** One filesystem of the image, writable, and where fstab mounts it. */
export interface WritableMount {
  readonly mountPoint: string;
  readonly filesystem: FilesystemWriter;
}

/**
 * Performs operations in order on the overlay of an image. All or nothing: on any error the caller drops the overlay.
 * The direct engine is TypeScript (core/apply/direct-engine.ts); a kernel engine stands beside it behind this seam.
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
