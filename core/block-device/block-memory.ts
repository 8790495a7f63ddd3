import { LRUCache } from 'lru-cache';

/** What an image may hold of blocks that it has read, whatever the number and the size of its volumes. */
export const IMAGE_MEMORY_BYTES = 256 * 1024 * 1024;

interface Place {
  readonly blocks: Map<number, Uint8Array>;
  readonly index: number;
}

/**
 * Memory for blocks that were read and can be read again: one bound for all devices and caches of an image, which find
 * it through the devices (BlockReader.memory). What goes first was used the longest ago. A block that one layer hands to
 * the next without a copy counts once. Changed bytes are no part of it: they are kept as long as they are needed.
 */
export class BlockMemory {
  private readonly buffers: LRUCache<ArrayBufferLike, Place[]>;
  private lastUsed: ArrayBufferLike | undefined;

  constructor(readonly maxBytes: number = IMAGE_MEMORY_BYTES) {
    this.buffers = new LRUCache<ArrayBufferLike, Place[]>({
      maxSize: Math.max(1, maxBytes),
      sizeCalculation: (_places, buffer) => Math.max(1, buffer.byteLength),
      noDisposeOnSet: true,
      dispose: (places, buffer) => {
        for (const { blocks, index } of places) {
          if (blocks.get(index)?.buffer === buffer) blocks.delete(index);
        }
      },
    });
  }

  /** A table for the blocks of one device or cache. */
  table(): BlockTable {
    return new BlockTable(this);
  }

  /** Called by BlockTable: the buffer was used. */
  touch(buffer: ArrayBufferLike): void {
    if (buffer === this.lastUsed) return;
    this.lastUsed = buffer;
    this.buffers.get(buffer);
  }

  /** Called by BlockTable. @returns false when it is larger than all of the memory */
  hold(buffer: ArrayBufferLike, place: Place): boolean {
    const places = this.buffers.peek(buffer) ?? [];
    places.push(place);
    this.buffers.set(buffer, places);
    return this.buffers.has(buffer);
  }
}

/** Blocks by their index, as long as the memory has room for them. */
export class BlockTable {
  private readonly blocks = new Map<number, Uint8Array>();

  constructor(private readonly memory: BlockMemory) {}

  get(index: number): Uint8Array | undefined {
    const bytes = this.blocks.get(index);
    if (bytes !== undefined) this.memory.touch(bytes.buffer);
    return bytes;
  }

  set(index: number, bytes: Uint8Array): void {
    this.blocks.set(index, bytes);
    if (!this.memory.hold(bytes.buffer, { blocks: this.blocks, index })) this.blocks.delete(index);
  }
}
