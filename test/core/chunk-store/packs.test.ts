import fc from 'fast-check';
import type { Digest, PackIndex } from '../../../core/chunk-store/chunk-store';
import { digestOf } from '../../../core/chunk-store/digest';
import { MemoryPackStore } from '../../../core/chunk-store/memory-pack-store';
import type { Content } from '../../../core/chunk-store/pack-builder';
import { PackedContents } from '../../../core/chunk-store/packed-contents';
import { storeContents } from '../../../core/chunk-store/store-contents';

const content = (bytes: Uint8Array): Content => ({ digest: digestOf(bytes), bytes });

async function* given(contents: readonly Content[]): AsyncIterable<Content> {
  yield* contents;
}

/** A store that counts how often each pack is fetched. */
class CountingStore extends MemoryPackStore {
  readonly fetches: Digest[] = [];
  override getPack(digest: Digest): Promise<Uint8Array> {
    this.fetches.push(digest);
    return super.getPack(digest);
  }
}

const chunksOf = ({ frames }: PackIndex) => frames.flatMap(({ chunks }) => chunks);

/** Bytes that do not compress, so that packs fill up. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) >>> 16);
}

describe('packs', () => {
  it('give back every content, each stored once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 })),
        fc.integer({ min: 50, max: 500 }),
        async (all, packBytes) => {
          const contents = all.map(content);
          const store = new MemoryPackStore();
          const index = await storeContents(given([...contents, ...contents]), store, { packBytes });
          const stored = index.flatMap(chunksOf).map(({ digest }) => digest);
          expect(stored).toEqual([...new Set(contents.map(({ digest }) => digest))]);
          const packed = new PackedContents(store, index);
          for (const { digest, bytes } of contents)
            expect(await packed.get(digest)).toEqual(Buffer.from(bytes));
          for (const pack of index)
            expect(pack.sizeBytes <= packBytes || chunksOf(pack).length === 1).toBe(true);
        },
      ),
    );
  });

  it('are fetched once each when contents are asked for in their order', async () => {
    const contents = [1, 2, 3, 4, 5, 6].map((seed) => content(noise(400, seed)));
    const store = new CountingStore();
    const index = await storeContents(given(contents), store, { packBytes: 1000 });
    expect(index).toHaveLength(3);
    const packed = new PackedContents(store, index, { packsInMemory: 1 });
    for (const { digest } of contents) await packed.get(digest);
    expect(store.fetches).toEqual(index.map(({ digest }) => digest));
  });
});

describe('frames', () => {
  const small = Array.from({ length: 4000 }, (_, seed) => content(noise(1000, seed)));
  const large = content(noise(3 * 1024 * 1024, 5));

  it('hold many small contents, or one that is large', async () => {
    const [pack] = await storeContents(
      given([...small, large, content(noise(10, 1))]),
      new MemoryPackStore(),
    );
    const counts = pack!.frames.map(({ chunks }) => chunks.length);
    expect(counts).toEqual([1048, 1048, 1048, 856, 1, 1]);
  });

  it('give their contents in any order, and the sound ones when others are damaged', async () => {
    const store = new MemoryPackStore();
    const [pack] = await storeContents(given([...small, large]), store);
    const packed = new PackedContents(store, [pack!]);
    for (const { digest, bytes } of [large, small[3999]!, small[0]!, small[2000]!, small[1]!, large]) {
      expect(Buffer.from(bytes).equals(await packed.get(digest))).toBe(true);
    }
    const damaged = {
      getPack: async (digest: Digest) => {
        const bytes = Uint8Array.from(await store.getPack(digest));
        bytes.fill(0xff, pack!.frames[1]!.offsetBytes, pack!.frames[2]!.offsetBytes);
        return bytes;
      },
    };
    const contents = new PackedContents(damaged, [pack!]);
    const found = await Promise.allSettled(small.map(({ digest }) => contents.get(digest)));
    const rejected = found.flatMap((result, at) => (result.status === 'rejected' ? [{ at, result }] : []));
    expect(rejected.map(({ at }) => at)).toEqual(Array.from({ length: 1048 }, (_, n) => 1048 + n));
    expect(rejected[0]!.result.reason).toMatchObject({
      name: 'ContentInvalidError',
      digest: small[1048]!.digest,
    });
  });
});

describe('a content is never given with wrong bytes', () => {
  const one = content(noise(200, 7));
  const two = content(noise(200, 8));

  async function stored(): Promise<{ store: MemoryPackStore; pack: PackIndex }> {
    const store = new MemoryPackStore();
    const [pack] = await storeContents(given([one, two]), store);
    return { store, pack: pack! };
  }

  it('when its pack was changed', async () => {
    const { store, pack } = await stored();
    store.packs.get(pack.digest)![50]! ^= 1;
    await expect(new PackedContents(store, [pack]).get(one.digest)).rejects.toMatchObject({
      name: 'PackInvalidError',
    });
  });

  it('when the index gives it the place of another', async () => {
    const { store, pack } = await stored();
    const [frame] = pack.frames;
    const swapped = { ...pack, frames: [{ ...frame!, chunks: [...frame!.chunks].reverse() }] };
    await expect(new PackedContents(store, [swapped]).get(two.digest)).rejects.toMatchObject({
      name: 'ContentInvalidError',
      pack: pack.digest,
    });
  });

  it.each([
    ['a size too small', { chunks: [{ digest: one.digest, sizeBytes: 100 }] }],
    ['a size too large', { chunks: [{ digest: one.digest, sizeBytes: 300 }] }],
    ['a size beyond all memory', { chunks: [{ digest: one.digest, sizeBytes: Number.MAX_SAFE_INTEGER }] }],
    ['a place outside the pack', { offsetBytes: 10_000 }],
    ['a place in the middle of a frame', { offsetBytes: 3 }],
  ])('when the index gives it %s', async (_what, change) => {
    const { store, pack } = await stored();
    const wrong = { ...pack, frames: [{ ...pack.frames[0]!, ...change }] };
    await expect(new PackedContents(store, [wrong]).get(one.digest)).rejects.toMatchObject({
      name: 'ContentInvalidError',
    });
  });

  it('when the pack is gone, or never had it', async () => {
    const { pack } = await stored();
    const empty = new PackedContents(new MemoryPackStore(), [pack]);
    await expect(empty.get(one.digest)).rejects.toMatchObject({ name: 'PackMissingError' });
    await expect(empty.get(digestOf(noise(1, 1)))).rejects.toMatchObject({ name: 'ContentMissingError' });
  });
});
