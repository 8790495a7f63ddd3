/** Size of an EBS snapshot block, in bytes. */
export const BLOCK_BYTES = 524_288;
export const BYTES_PER_GIB = 1024 ** 3;

/**
 * Where the bytes of volumes and snapshots are kept: images by name (`vol-...`, `snap-...`), each a sparse sequence of
 * blocks. A clone is atomic and costs next to nothing.
 */
export interface BlockStorage {
  create(image: string, sizeBytes: number): Promise<void>;
  /** Copies an image as it is at this moment; `sizeBytes` may be larger than the source, never smaller. */
  clone(source: string, target: string, sizeBytes: number): Promise<void>;
  /** Takes a raw disk file in as an image. Holes stay holes. */
  importFile(rawFile: string, image: string, sizeBytes: number): Promise<void>;
  /** One block; blocks never written read as zeros. */
  readBlock(image: string, index: number): Promise<Buffer>;
  writeBlock(image: string, index: number, bytes: Uint8Array): Promise<void>;
  /** Blocks written in `image` since `base` was cloned from it or it from `base`; without a base, all that hold data. Ascending. */
  writtenSince(image: string, base: string | undefined): Promise<number[]>;
  has(image: string): Promise<boolean>;
  remove(image: string): Promise<void>;
  /** The raw disk file of an image, for a machine to boot from; undefined when the storage has no files. */
  fileOf(image: string): string | undefined;
}
