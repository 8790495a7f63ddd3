import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import type { Digest, PackFrame, PackIndex } from './chunk-store';
import { digestOf } from './digest';

/** A content by its digest: of a file, or of a record. */
export interface Content {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export interface BuiltPack {
  readonly index: PackIndex;
  readonly bytes: Uint8Array;
}

/** A pack is fetched with one GET and held in memory whole. */
export const PACK_BYTES = 64 * 1024 * 1024;
/** Small enough that who wants one content does not unpack much else, large enough that files of a kilobyte cost nothing. */
const FRAME_BYTES = 1024 * 1024;
/** Frames that other threads compress while the next contents are read. */
const FRAMES_AHEAD = 4;

const compress = promisify(zstdCompress);

/**
 * Gathers contents into packs, each content once, in the order they come. A frame holds FRAME_BYTES of contents, or one
 * that is larger; a pack is at most `packBytes` long, unless one frame of one content is longer.
 */
export async function* buildPacks(
  contents: AsyncIterable<Content>,
  packBytes: number,
): AsyncIterable<BuiltPack> {
  let frames: StoredFrame[] = [];
  let length = 0;
  for await (const frame of inFlight(framesOf(contents, Math.min(FRAME_BYTES, packBytes / 4)), storeFrame)) {
    if (length > 0 && length + frame.stored.length > packBytes) {
      yield finished(frames);
      frames = [];
      length = 0;
    }
    frames.push(frame);
    length += frame.stored.length;
  }
  if (frames.length > 0) yield finished(frames);
}

interface StoredFrame {
  readonly stored: Uint8Array;
  readonly chunks: PackFrame['chunks'];
}

async function* framesOf(contents: AsyncIterable<Content>, frameBytes: number): AsyncIterable<Content[]> {
  const known = new Set<Digest>();
  let frame: Content[] = [];
  let length = 0;
  for await (const content of contents) {
    if (known.has(content.digest)) continue;
    known.add(content.digest);
    if (frame.length > 0 && length + content.bytes.length > frameBytes) {
      yield frame;
      frame = [];
      length = 0;
    }
    frame.push(content);
    length += content.bytes.length;
  }
  if (frame.length > 0) yield frame;
}

async function storeFrame(contents: readonly Content[]): Promise<StoredFrame> {
  const [first] = contents;
  const bytes =
    contents.length === 1 && first !== undefined
      ? first.bytes
      : Buffer.concat(contents.map((each) => each.bytes));
  const chunks = contents.map(({ digest, bytes: { length } }) => ({ digest, sizeBytes: length }));
  return { stored: await compress(bytes), chunks };
}

/** Results in the order of what they are made of, a few of them being made at a time. */
async function* inFlight<T, R>(items: AsyncIterable<T>, make: (item: T) => Promise<R>): AsyncIterable<R> {
  const pending: Promise<R>[] = [];
  for await (const item of items) {
    const made = make(item);
    // Whoever takes it gets the error; until then it is nobody's.
    made.catch(() => undefined);
    pending.push(made);
    if (pending.length >= FRAMES_AHEAD) yield pending.shift()!;
  }
  for (const made of pending) yield await made;
}

function finished(stored: readonly StoredFrame[]): BuiltPack {
  const bytes = Buffer.concat(stored.map((frame) => frame.stored));
  const frames: PackFrame[] = [];
  let offsetBytes = 0;
  for (const {
    stored: { length: storedBytes },
    chunks,
  } of stored) {
    frames.push({ offsetBytes, storedBytes, chunks });
    offsetBytes += storedBytes;
  }
  return { index: { digest: digestOf(bytes), sizeBytes: bytes.length, frames }, bytes };
}
