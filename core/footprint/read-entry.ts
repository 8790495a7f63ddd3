import type { Digest } from '../chunk-store/chunk-store';
import { digestOf, digestOfStream } from '../chunk-store/digest';
import type { FilesystemReader, Stat, Xattrs } from '../filesystem/filesystem';
import { type EntryFacts, entryDigest } from './entry-digest';

/** Files are read for comparison in pieces of this size, so that a huge file takes no memory. */
const PIECE_BYTES = 4 * 1024 * 1024;

export interface Entry {
  readonly path: string;
  readonly stat: Stat;
  readonly xattrs: Xattrs;
  readonly content?: Digest;
  readonly target?: string;
  readonly digest: Digest;
}

/** Reads one entry and its digest; `content: 'skip'` leaves a file's content out of both. */
export async function readEntry(
  reader: FilesystemReader,
  path: string,
  stat: Stat,
  options: { content?: 'read' | 'skip' } = {},
): Promise<Entry> {
  const xattrs = await reader.xattrs(path);
  const content =
    stat.type === 'file' && options.content !== 'skip' ? await contentDigest(reader, path, stat) : undefined;
  const target = stat.type === 'symlink' ? await reader.readlink(path) : undefined;
  const facts: EntryFacts = { ...stat, xattrs, content, target };
  return { path, stat, xattrs, content, target, digest: entryDigest(facts) };
}

async function contentDigest(reader: FilesystemReader, path: string, stat: Stat): Promise<Digest> {
  if (stat.sizeBytes <= PIECE_BYTES) return digestOf(await reader.readFile(path));
  const { digest } = await digestOfStream(pieces(reader, path, stat.sizeBytes));
  return digest;
}

async function* pieces(reader: FilesystemReader, path: string, sizeBytes: number): AsyncIterable<Uint8Array> {
  for (let offsetBytes = 0; offsetBytes < sizeBytes; offsetBytes += PIECE_BYTES) {
    yield await reader.readFile(path, {
      offsetBytes,
      lengthBytes: Math.min(PIECE_BYTES, sizeBytes - offsetBytes),
    });
  }
}
