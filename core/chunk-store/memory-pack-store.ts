import type { Digest, PackWriter } from './chunk-store';
import { PackInvalidError, PackMissingError } from './chunk-store-errors';
import { digestAside } from './digest';

/** A chunk store in memory: for an apply that stays in one process. */
export class MemoryPackStore implements PackWriter {
  readonly packs = new Map<Digest, Uint8Array>();

  async getPack(digest: Digest): Promise<Uint8Array> {
    const bytes = this.packs.get(digest);
    if (bytes === undefined) throw new PackMissingError(digest);
    const found = await digestAside(bytes);
    if (found !== digest) throw new PackInvalidError(digest, `the digest of its bytes is ${found}`);
    return bytes;
  }

  async putPack(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (!this.packs.has(digest)) this.packs.set(digest, bytes);
  }
}
