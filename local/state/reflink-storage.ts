import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, copyFile, mkdir, open, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { BLOCK_BYTES, type BlockStorage } from './block-storage';
import { extentsOf, placesByBlock } from './extents';

/**
 * Images as sparse raw files on a filesystem with reflinks (XFS, btrfs): a clone is one FICLONE, atomic and done in
 * milliseconds, also while a machine writes to the volume. What was written since is read from where the filesystem
 * keeps the extents: a write to a shared extent goes to a new place.
 */
export class ReflinkStorage implements BlockStorage {
  private constructor(private readonly folder: string) {}

  /** @param folder on a filesystem with reflinks (`reflinkFolder`). */
  static async open(folder: string): Promise<ReflinkStorage> {
    await mkdir(path.join(folder, 'volumes'), { recursive: true });
    await mkdir(path.join(folder, 'snapshots'), { recursive: true });
    return new ReflinkStorage(folder);
  }

  fileOf(image: string): string {
    return path.join(this.folder, image.startsWith('snap-') ? 'snapshots' : 'volumes', `${image}.raw`);
  }

  async create(image: string, sizeBytes: number): Promise<void> {
    const file = await open(this.fileOf(image), 'w');
    try {
      await file.truncate(sizeBytes);
    } finally {
      await file.close();
    }
  }

  async clone(source: string, target: string, sizeBytes: number): Promise<void> {
    await copyFile(this.fileOf(source), this.fileOf(target), constants.COPYFILE_FICLONE_FORCE);
    await truncate(this.fileOf(target), sizeBytes);
  }

  async importFile(rawFile: string, image: string, sizeBytes: number): Promise<void> {
    await promisify(execFile)('cp', ['--reflink=auto', '--sparse=always', rawFile, this.fileOf(image)]);
    await truncate(this.fileOf(image), sizeBytes);
  }

  async readBlock(image: string, index: number): Promise<Buffer> {
    const file = await open(this.fileOf(image));
    try {
      const block = Buffer.alloc(BLOCK_BYTES);
      await file.read(block, 0, BLOCK_BYTES, index * BLOCK_BYTES);
      return block;
    } finally {
      await file.close();
    }
  }

  async writeBlock(image: string, index: number, bytes: Uint8Array): Promise<void> {
    const file = await open(this.fileOf(image), 'r+');
    try {
      await file.write(bytes, 0, bytes.length, index * BLOCK_BYTES);
    } finally {
      await file.close();
    }
  }

  async writtenSince(image: string, base: string | undefined): Promise<number[]> {
    const now = placesByBlock(await extentsOf(this.fileOf(image)));
    const before =
      base === undefined ? new Map<number, string>() : placesByBlock(await extentsOf(this.fileOf(base)));
    return [...new Set([...now.keys(), ...before.keys()])]
      .filter((index) => now.get(index) !== before.get(index))
      .sort((a, b) => a - b);
  }

  async has(image: string): Promise<boolean> {
    return access(this.fileOf(image)).then(
      () => true,
      () => false,
    );
  }

  async remove(image: string): Promise<void> {
    await rm(this.fileOf(image), { force: true });
  }
}
