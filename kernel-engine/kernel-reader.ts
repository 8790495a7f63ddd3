import type {
  DirectoryEntry,
  FilesystemReader,
  ScannedEntry,
  Stat,
  Xattrs,
} from '../core/filesystem/filesystem';
import { FileTooLargeError } from '../core/filesystem/read-errors';
import { KernelEngineError } from './errors';
import { parseEntry, parseScanned, parseStat, parseText, parseXattr, wholeNumber } from './guest-answers';
import type { GuestMessage } from './guest-port';

/** Most content that one call returns, as of the other readers. */
const MAX_READ_BYTES = 1024 * 1024 * 1024;
/** What is asked for at once: other requests come between. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** Of one directory, or attributes of one file. An answer that goes on beyond that comes from no sound filesystem. */
const MAX_ENTRIES = 5_000_000;

/** Puts one question to the guest. Failures come back as errors of core/filesystem. */
export type AskGuest = (
  request: { readonly read: string } & Record<string, unknown>,
) => Promise<GuestMessage>;

export interface ReaderFacts {
  readonly kind: string;
  readonly uuid: string;
  readonly label: string;
  readonly sizeBytes: number;
}

/** A filesystem that is mounted in an emulated machine. What it answers may come from a hostile image: all is checked. */
export class KernelReader implements FilesystemReader {
  readonly kind: string;
  readonly uuid: string;
  readonly label: string;
  readonly sizeBytes: number;
  private lastId = 0;

  constructor(
    facts: ReaderFacts,
    private readonly index: number,
    private readonly ask: AskGuest,
  ) {
    this.kind = facts.kind;
    this.uuid = facts.uuid;
    this.label = facts.label;
    this.sizeBytes = facts.sizeBytes;
  }

  async freeBytes(): Promise<number> {
    const { fields } = await this.request('free', '/');
    return wholeNumber(fields.free);
  }

  async lstat(path: string): Promise<Stat | undefined> {
    const { fields } = await this.request('lstat', path);
    return fields.stat === null ? undefined : parseStat(fields.stat);
  }

  async readdir(path: string): Promise<readonly DirectoryEntry[]> {
    const entries: DirectoryEntry[] = [];
    for await (const { batch } of this.batches('list', path)) {
      entries.push(...batch.map(parseEntry));
      if (entries.length > MAX_ENTRIES) throw tooMany(path);
    }
    return entries;
  }

  async readlink(path: string): Promise<string> {
    const { fields } = await this.request('link', path);
    return parseText(fields.target);
  }

  async readFile(path: string, range?: { offsetBytes: number; lengthBytes: number }): Promise<Uint8Array> {
    const from = range?.offsetBytes ?? 0;
    const wanted = range?.lengthBytes ?? Infinity;
    const pieces: Uint8Array[] = [];
    for (let done = 0; done < wanted;) {
      const length = Math.min(PIECE_BYTES, wanted - done);
      const { payload } = await this.request('file', path, { offset: from + done, length });
      pieces.push(payload.subarray(0, length));
      done += payload.length;
      if (payload.length < length) break;
      if (done > MAX_READ_BYTES) throw new FileTooLargeError(path, done, MAX_READ_BYTES);
    }
    // A file that is empty, or no file, is told by the guest alone.
    if (wanted === 0) await this.request('file', path, { offset: 0, length: 0 });
    return pieces.length === 1 ? pieces[0]! : new Uint8Array(Buffer.concat(pieces));
  }

  async xattrs(path: string): Promise<Xattrs> {
    const xattrs = new Map<string, Uint8Array>();
    for await (const { batch } of this.batches('xattrs', path)) {
      for (const [name, value] of batch.map(parseXattr)) xattrs.set(name, value);
      if (xattrs.size > MAX_ENTRIES) throw tooMany(path);
    }
    return xattrs;
  }

  async *scan(): AsyncIterable<ScannedEntry> {
    for await (const { directory, batch } of this.batches('scan', '/')) {
      for (const entry of batch) yield parseScanned(directory, entry);
    }
  }

  private request(read: string, path: string, more: Record<string, unknown> = {}): Promise<GuestMessage> {
    return this.ask({ read, filesystem: this.index, path, ...more });
  }

  /** Pieces of a long answer, each asked for when it is needed. */
  private async *batches(
    read: 'list' | 'scan' | 'xattrs',
    path: string,
  ): AsyncIterable<{ directory: string; batch: readonly unknown[] }> {
    const id = `${this.index}-${(this.lastId += 1)}`;
    let answer = await this.request(read, path, { id });
    try {
      while (answer.fields.ended !== true) {
        const { directory, entries } = answer.fields;
        yield { directory: parseText(directory), batch: Array.isArray(entries) ? entries : [] };
        answer = await this.request('next', path, { id });
      }
    } finally {
      if (answer.fields.ended !== true) await this.request('stop', path, { id });
    }
  }
}

function tooMany(path: string): KernelEngineError {
  return new KernelEngineError(`it names more than ${MAX_ENTRIES} entries of ${path}`);
}
