import type { Digest } from '../chunk-store/chunk-store';
import { digestAside, digestOfStream } from '../chunk-store/digest';
import type { FilesystemReader, Stat, Xattrs } from '../filesystem/filesystem';
import { type EntryFacts, entryDigest } from './entry-digest';

/** Files are read for comparison in pieces of this size, so that a huge file takes no memory. */
const PIECE_BYTES = 8 * 1024 * 1024;

export interface Entry {
  readonly path: string;
  readonly stat: Stat;
  readonly xattrs: Xattrs;
  readonly content?: Digest;
  readonly target?: string;
  readonly digest: Digest;
}

export interface ReadEntryOptions {
  /** `skip` leaves a file's content out of the entry and its digest. */
  readonly content?: 'read' | 'skip';
  /** Is given the content of each file that is not larger than `wholeBytes`; it must copy what it keeps. */
  readonly onContent?: (digest: Digest, bytes: Uint8Array) => void;
  /** Larger files are read piece by piece. */
  readonly wholeBytes?: number;
}

/** Reads one entry and its digest. */
export async function readEntry(
  reader: FilesystemReader,
  path: string,
  stat: Stat,
  options: ReadEntryOptions = {},
): Promise<Entry> {
  const xattrs = await reader.xattrs(path);
  const content =
    stat.type === 'file' && options.content !== 'skip'
      ? await contentDigest(reader, path, stat, options)
      : undefined;
  const target = stat.type === 'symlink' ? await reader.readlink(path) : undefined;
  const facts: EntryFacts = { ...stat, xattrs, content, target };
  return { path, stat, xattrs, content, target, digest: entryDigest(facts) };
}

async function contentDigest(
  reader: FilesystemReader,
  path: string,
  { sizeBytes }: Stat,
  { onContent, wholeBytes = PIECE_BYTES }: ReadEntryOptions,
): Promise<Digest> {
  if (sizeBytes > wholeBytes) {
    return (await digestOfStream(pieces(reader, path, sizeBytes))).digest;
  }
  const bytes = await reader.readFile(path);
  const digest = await digestAside(bytes);
  onContent?.(digest, bytes);
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
