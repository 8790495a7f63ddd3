import { open } from 'node:fs/promises';
import { BLOCK_BYTES, type BlockStorage } from './block-storage';

const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** Blocks in memory: for tests and for clouds without machines. Needs no root and no filesystem. */
export class MemoryStorage implements BlockStorage {
  private readonly images = new Map<string, Map<number, Buffer>>();

  async create(image: string): Promise<void> {
    this.images.set(image, new Map());
  }

  async clone(source: string, target: string): Promise<void> {
    this.images.set(target, new Map(this.blocks(source)));
  }

  async importFile(rawFile: string, image: string, sizeBytes: number): Promise<void> {
    const blocks = new Map<number, Buffer>();
    const file = await open(rawFile);
    try {
      for (let index = 0; index * BLOCK_BYTES < sizeBytes; index += 1) {
        const block = Buffer.alloc(BLOCK_BYTES);
        const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, index * BLOCK_BYTES);
        if (bytesRead === 0) break;
        if (!block.equals(ZEROS)) blocks.set(index, block);
      }
    } finally {
      await file.close();
    }
    this.images.set(image, blocks);
  }

  async readBlock(image: string, index: number): Promise<Buffer> {
    return Buffer.from(this.blocks(image).get(index) ?? ZEROS);
  }

  async writeBlock(image: string, index: number, bytes: Uint8Array): Promise<void> {
    this.blocks(image).set(index, Buffer.from(bytes));
  }

  async writtenSince(image: string, base: string | undefined): Promise<number[]> {
    const before = base === undefined ? new Map<number, Buffer>() : this.blocks(base);
    const now = this.blocks(image);
    // Every write makes a new buffer, so the same buffer means that nothing was written.
    return [...new Set([...now.keys(), ...before.keys()])]
      .filter((index) => now.get(index) !== before.get(index))
      .sort((a, b) => a - b);
  }

  async has(image: string): Promise<boolean> {
    return this.images.has(image);
  }

  async remove(image: string): Promise<void> {
    this.images.delete(image);
  }

  fileOf(): undefined {
    return undefined;
  }

  private blocks(image: string): Map<number, Buffer> {
    const blocks = this.images.get(image);
    if (!blocks) throw new Error(`The storage holds no image ${image}.`);
    return blocks;
  }
}
