import { decodeName, encodeName } from '../bytes/names';
import type { RecordChanges, RecordFile } from './record-codec';
import { RecordFormatError } from './record-errors';

/**
 * A piece of a text file: `body` is what it says, `end` the line ends and blank lines that follow it. Joined in order,
 * the pieces are the file. Text is bytes as latin1, so that nothing is lost whatever the file's encoding is.
 */
export interface TextSegment {
  /** Undefined for what is no record: a comment, blank lines at the start. */
  readonly key: string | undefined;
  readonly body: string;
  readonly end: string;
}

/** What one kind of text record file has of its own. */
export interface TextFormat {
  readonly codec: string;
  /** What the format's own tool writes after a record. */
  readonly end: string;
  /** Cuts a file into pieces. @throws RecordFormatError */
  split(text: string): TextSegment[];
  /** The order of keys in which the format's own tool writes the file, when it has one. */
  compareKeys?(left: string, right: string): number;
  /** True for pieces that stay behind new records: the `+` lines of NIS. */
  staysLast?(segment: TextSegment): boolean;
  /** @throws RecordConflictError when the records of `changed` cannot stand beside the others. */
  checkConflicts?(merged: readonly TextSegment[], changed: ReadonlySet<string>, before: RecordTexts): void;
}

export type RecordTexts = ReadonlyMap<string, string>;

/** A file that is larger than this is no record file: the largest known, dpkg's `available`, has some 60 MB. */
const LARGEST_FILE_BYTES = 128 * 1024 * 1024;

export function parseTextRecordFile(bytes: Uint8Array, format: TextFormat): RecordFile {
  if (bytes.length > LARGEST_FILE_BYTES) {
    throw new RecordFormatError(format.codec, `${bytes.length} bytes are too many`);
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) throw new RecordFormatError(format.codec, 'a NUL byte in a text file', { offsetBytes: nul });
  const segments = format.split(latin1(bytes));
  const texts = new Map<string, string>();
  for (const { key, body } of segments) {
    if (key === undefined) continue;
    if (texts.has(key)) throw new RecordFormatError(format.codec, 'the same record twice', { key });
    texts.set(key, body);
  }
  return new TextRecordFile(segments, texts, format);
}

class TextRecordFile implements RecordFile {
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly remainder: Uint8Array;

  constructor(
    private readonly segments: readonly TextSegment[],
    private readonly texts: RecordTexts,
    private readonly format: TextFormat,
  ) {
    this.records = new Map([...texts].map(([key, body]) => [key, Buffer.from(body, 'latin1')]));
    const rest = segments.filter(({ key }) => key === undefined);
    this.remainder = Buffer.from(rest.map(({ body, end }) => body + end).join(''), 'latin1');
  }

  merge(changes: RecordChanges): Uint8Array {
    const { replaced, added, changed } = this.sortChanges(changes);
    const kept = this.segments.flatMap((segment) => {
      if (segment.key === undefined || !replaced.has(segment.key)) return [segment];
      const body = replaced.get(segment.key);
      return body === undefined ? [] : [{ ...segment, body, end: segment.end || this.format.end }];
    });
    const merged = this.insert(kept, added);
    this.format.checkConflicts?.(merged, changed, this.texts);
    return Buffer.from(joined(merged, this.format.end), 'latin1');
  }

  /** Changes that leave a record as it is are none: the file stays byte for byte then. */
  private sortChanges(changes: RecordChanges): {
    replaced: Map<string, string | undefined>;
    added: TextSegment[];
    changed: Set<string>;
  } {
    const replaced = new Map<string, string | undefined>();
    const added: TextSegment[] = [];
    const changed = new Set<string>();
    for (const [key, bytes] of changes) {
      const before = this.texts.get(key);
      const body = bytes === undefined ? undefined : this.checkedBody(key, bytes);
      if (body === before) continue;
      if (before !== undefined) replaced.set(key, body);
      else if (body !== undefined) added.push({ key, body, end: this.format.end });
      if (body !== undefined) changed.add(key);
    }
    return { replaced, added, changed };
  }

  private checkedBody(key: string, bytes: Uint8Array): string {
    const body = latin1(bytes);
    const segments = this.format.split(body + this.format.end);
    const only = segments.length === 1 ? segments[0] : undefined;
    if (only?.key !== key || only.body !== body || body.includes('\0')) {
      throw new RecordFormatError(this.format.codec, 'what is put is not one record with this key', { key });
    }
    return body;
  }

  private insert(kept: readonly TextSegment[], added: readonly TextSegment[]): readonly TextSegment[] {
    if (added.length === 0) return kept;
    const { compareKeys, staysLast } = this.format;
    if (compareKeys && inOrder(kept, compareKeys)) {
      return mergeSorted(
        kept,
        added.toSorted((a, b) => compareKeys(a.key ?? '', b.key ?? '')),
        compareKeys,
      );
    }
    const firstLast = staysLast ? kept.findIndex((segment) => staysLast.call(this.format, segment)) : -1;
    const at = firstLast < 0 ? kept.length : firstLast;
    return [...kept.slice(0, at), ...added, ...kept.slice(at)];
  }
}

function inOrder(segments: readonly TextSegment[], compareKeys: (a: string, b: string) => number): boolean {
  let last: string | undefined;
  for (const { key } of segments) {
    if (key === undefined) continue;
    if (last !== undefined && compareKeys(last, key) > 0) return false;
    last = key;
  }
  return true;
}

function mergeSorted(
  kept: readonly TextSegment[],
  added: readonly TextSegment[],
  compareKeys: (a: string, b: string) => number,
): TextSegment[] {
  const merged: TextSegment[] = [];
  let next = 0;
  for (const segment of kept) {
    for (let add = added[next]; segment.key !== undefined && add?.key !== undefined; add = added[next]) {
      if (compareKeys(add.key, segment.key) >= 0) break;
      merged.push(add);
      next++;
    }
    merged.push(segment);
  }
  return [...merged, ...added.slice(next)];
}

/** A file may end without its last line end; a piece that something now follows gets the usual one. */
function joined(segments: readonly TextSegment[], usualEnd: string): string {
  return segments
    .map(({ key, body, end }, index) => {
      const wanted = key === undefined ? '\n' : usualEnd;
      const followed = index < segments.length - 1;
      return body + (followed && end.length < wanted.length ? wanted : end);
    })
    .join('');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Keys stand in manifests and reports, so they are text as people read it; see decodeName for bytes that are no UTF-8. */
export function keyText(raw: string): string {
  return decodeName(Buffer.from(raw, 'latin1'));
}

/** Byte order of keys, as Perl's sort and strcmp(3) in the C locale have it. */
export function compareKeyBytes(left: string, right: string): number {
  return Buffer.compare(encodeName(left), encodeName(right));
}
