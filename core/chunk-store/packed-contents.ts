import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { Digest, PackedChunk, PackFrame, PackIndex, PackReader } from './chunk-store';
import { ContentInvalidError, ContentMissingError, PackInvalidError } from './chunk-store-errors';
import { digestAside } from './digest';

/** For frames kept unpacked: the one in use, those ahead, and some to go back to. What is larger is not kept. */
const UNPACKED_BYTES = 32 * 1024 * 1024;
/** Frames unpacked, and checked, before they are asked for. */
const AHEAD_BYTES = 16 * 1024 * 1024;
/** zlib's output comes in pieces of at most this. */
const LARGEST_PIECE_BYTES = 16 * 1024 * 1024;

const decompress = promisify(zstdDecompress);

/** A frame as contents are found in it. */
interface Frame extends PackFrame {
  readonly pack: PackIndex;
  /** Unpacked. */
  readonly sizeBytes: number;
  /** The one behind it in the pack: who takes contents in their order wants it next. */
  next: Frame | undefined;
}

/** A frame's bytes, and the digests of its contents, on which other threads are at work. */
interface Unpacked {
  readonly bytes: Uint8Array;
  readonly digests: ReadonlyMap<Digest, Promise<Digest>>;
}

/** Where a content is; `at` is where it begins in its frame, unpacked. */
interface Place {
  readonly frame: Frame;
  readonly chunk: PackedChunk;
  readonly at: number;
}

/**
 * The contents that a manifest's packs hold, by digest. Packs are fetched when first asked for and the last few are kept;
 * a manifest names its contents in the order of its packs, so each pack is fetched once, and what comes next is unpacked
 * in another thread meanwhile.
 */
export class PackedContents {
  private readonly places = new Map<Digest, Place>();
  private readonly fetched: LRUCache<Digest, Promise<Uint8Array>>;
  private readonly unpacked = new LRUCache<Frame, Promise<Unpacked>>({
    maxSize: UNPACKED_BYTES,
    sizeCalculation: (_bytes, { sizeBytes }) => Math.max(1, sizeBytes),
  });
  private last: Frame | undefined;

  constructor(
    private readonly packs: PackReader,
    index: readonly PackIndex[],
    options: { packsInMemory?: number } = {},
  ) {
    for (const pack of index) this.addPlaces(pack);
    this.fetched = new LRUCache({ max: options.packsInMemory ?? 3 });
  }

  /** @throws ContentMissingError, ContentInvalidError, PackInvalidError, PackMissingError */
  async get(digest: Digest): Promise<Uint8Array> {
    const place = this.places.get(digest);
    if (place === undefined) throw new ContentMissingError(digest);
    const { frame, chunk, at } = place;
    const unpacking = this.unpack(frame);
    this.unpackAhead(frame);

    const { bytes, digests } = await unpacking.catch((cause: unknown) => {
      if (!(cause instanceof FrameError)) throw cause;
      throw new ContentInvalidError(digest, frame.pack.digest, cause.message, { cause });
    });
    const content = bytes.subarray(at, at + chunk.sizeBytes);
    const found = await digests.get(digest);
    if (found !== digest) throw new ContentInvalidError(digest, frame.pack.digest, `its digest is ${found}`);
    return content;
  }

  private addPlaces(pack: PackIndex): void {
    let previous: Frame | undefined;
    for (const each of pack.frames) {
      const sizeBytes = each.chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
      const frame: Frame = { ...each, pack, sizeBytes, next: undefined };
      if (previous !== undefined) previous.next = frame;
      previous = frame;
      let at = 0;
      for (const chunk of each.chunks) {
        this.places.set(chunk.digest, { frame, chunk, at });
        at += chunk.sizeBytes;
      }
    }
  }

  /** Begins with the next frames when frames are taken in their order. */
  private unpackAhead(frame: Frame): void {
    const inOrder = this.last === undefined || this.last === frame || this.last.next === frame;
    this.last = frame;
    if (!inOrder) return;
    let aheadBytes = 0;
    for (let next = frame.next; next !== undefined; next = next.next) {
      aheadBytes += next.sizeBytes;
      if (aheadBytes > AHEAD_BYTES) return;
      // A failure is seen by who asks for that frame.
      this.unpack(next).catch(() => undefined);
    }
  }

  private unpack(frame: Frame): Promise<Unpacked> {
    const known = this.unpacked.get(frame);
    if (known !== undefined) return known;
    const unpacking = this.pack(frame.pack).then(async (pack) =>
      withDigests(await unpackFrame(pack, frame), frame),
    );
    this.unpacked.set(frame, unpacking);
    unpacking.catch(() => this.unpacked.delete(frame));
    return unpacking;
  }

  private pack(pack: PackIndex): Promise<Uint8Array> {
    const known = this.fetched.get(pack.digest);
    if (known !== undefined) return known;
    const fetching = this.fetch(pack);
    this.fetched.set(pack.digest, fetching);
    // A failed fetch is not remembered; the caller of get() sees the error itself.
    fetching.catch(() => this.fetched.delete(pack.digest));
    return fetching;
  }

  private async fetch(pack: PackIndex): Promise<Uint8Array> {
    const bytes = await this.packs.getPack(pack.digest);
    if (bytes.length !== pack.sizeBytes) {
      throw new PackInvalidError(
        pack.digest,
        `it has ${bytes.length} bytes, its index says ${pack.sizeBytes}`,
      );
    }
    return bytes;
  }
}

function withDigests(bytes: Uint8Array, frame: Frame): Unpacked {
  const digests = new Map<Digest, Promise<Digest>>();
  let at = 0;
  for (const { digest, sizeBytes } of frame.chunks) {
    const found = digestAside(bytes.subarray(at, at + sizeBytes));
    // A failure is seen by who asks for that content.
    found.catch(() => undefined);
    digests.set(digest, found);
    at += sizeBytes;
  }
  return { bytes, digests };
}

/** What is wrong with a frame; told of the content that was asked for. */
class FrameError extends Error {
  override readonly name = 'FrameError';
}

async function unpackFrame(pack: Uint8Array, frame: Frame): Promise<Uint8Array> {
  const { offsetBytes, storedBytes, sizeBytes } = frame;
  const stored = pack.subarray(offsetBytes, offsetBytes + storedBytes);
  if (stored.length !== storedBytes) throw new FrameError('its place is outside the pack');
  let bytes: Uint8Array;
  try {
    // The limit keeps a hostile pack from unfolding into all memory; zlib wants at least 1, and of its pieces 64.
    const maxOutputLength = Math.max(1, sizeBytes);
    const chunkSize = Math.min(Math.max(64, sizeBytes), LARGEST_PIECE_BYTES);
    bytes = await decompress(stored, { maxOutputLength, chunkSize });
  } catch (cause) {
    throw new FrameError('it does not unpack to its size', { cause });
  }
  if (bytes.length !== sizeBytes) {
    throw new FrameError(`its frame has ${bytes.length} bytes, not ${sizeBytes}`);
  }
  return bytes;
}
