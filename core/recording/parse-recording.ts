import { gunzipSync } from 'node:zlib';
import {
  ALL_ACTION_BITS,
  type Actor,
  type PartEnd,
  type RecordedPath,
  type RecordedRename,
  RECORDING_FORMAT_VERSION,
  RECORDING_METHODS,
  type RecordingMethod,
  type RecordingPart,
} from './recording';
import { AuditReader } from './parse-audit';
import { StraceReader } from './parse-strace';
import { RecordingError } from './recording-errors';

/** Of one recording: a million paths of 100 bytes and some. */
export const MAX_RECORDING_BYTES = 256 * 1024 * 1024;
export const MAX_COMPRESSED_BYTES = 64 * 1024 * 1024;
/** PATH_MAX of Linux is 4096; a byte may take 6 characters of JSON, twice in a rename. */
const MAX_LINE_CHARACTERS = 64 * 1024;
const MAX_PATH_CHARACTERS = 4096;
const MAX_PARTS = 1000;
const MAX_LIMITS = 1000;
const MAX_TEXT = 1000;

interface OpenPart {
  head: Omit<RecordingPart, 'paths' | 'renames' | 'end'>;
  paths: RecordedPath[];
  renames: RecordedRename[];
  end?: PartEnd;
  /** Of a part that holds what strace or auditd wrote, as it was written. */
  trace?: StraceReader | AuditReader;
}

/**
 * Reads the parts of a recording, as gzip members one after the other. The machine that wrote it may be anybody's: every
 * line is checked, and sizes have bounds. A last line that is not whole is what a machine that went down leaves.
 *
 * @throws RecordingError
 */
export function parseRecording(bytes: Uint8Array): RecordingPart[] {
  return parseRecordingLines(unpacked(bytes));
}

/** @throws RecordingError */
export function parseRecordingLines(text: string): RecordingPart[] {
  const parts: OpenPart[] = [];
  let line = 0;
  let at = 0;
  while (at < text.length) {
    line++;
    const end = text.indexOf('\n', at);
    if (end < 0) break;
    if (end - at > MAX_LINE_CHARACTERS) throw new RecordingError('is too long', line);
    readLine(parts, text.slice(at, end), line);
    at = end + 1;
  }
  if (parts.length === 0) throw new RecordingError('has no part');
  return parts.map(wholePart);
}

function wholePart({ head, paths, renames, end, trace }: OpenPart): RecordingPart {
  const result = trace?.result();
  const found = result !== undefined && 'end' in result ? result.end : undefined;
  return {
    ...head,
    paths: result?.paths ?? paths,
    renames: result?.renames ?? renames,
    ...(end && { end: { ...end, ...found } }),
  };
}

function traceReader(method: RecordingMethod, folder: string): OpenPart['trace'] {
  if (method === 'strace') return new StraceReader(folder);
  return method === 'audit' ? new AuditReader() : undefined;
}

function unpacked(bytes: Uint8Array): string {
  if (bytes.length > MAX_COMPRESSED_BYTES)
    throw new RecordingError(`has ${bytes.length} bytes, more than any of ours`);
  let content: Buffer;
  try {
    content = gunzipSync(bytes, { maxOutputLength: MAX_RECORDING_BYTES });
  } catch (cause) {
    throw new RecordingError('is no gzip, or is damaged or too large', undefined, { cause });
  }
  return content.toString('latin1');
}

function readLine(parts: OpenPart[], text: string, line: number): void {
  const open = parts.at(-1);
  if (open?.trace && open.end === undefined && !text.startsWith('{')) return open.trace.take(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RecordingError('is no JSON', line, { cause });
  }
  if (typeof value !== 'object' || value === null)
    throw new RecordingError('is neither a path nor a fact', line);
  const fields = value as Record<string, unknown>;
  if ('recording' in fields) {
    if (parts.length >= MAX_PARTS) throw new RecordingError('begins one part too many', line);
    const head = partHead(fields, line);
    const folder = absolutePath(fields['folder'] ?? '/', line);
    const trace = traceReader(head.method, folder);
    parts.push({ head, paths: [], renames: [], ...(trace && { trace }) });
    return;
  }
  const part = parts.at(-1);
  if (part === undefined) throw new RecordingError('comes before the head of a part', line);
  if (part.end !== undefined) throw new RecordingError('comes after the end of its part', line);
  if (Array.isArray(value)) part.paths.push(recordedPath(value, line));
  else if ('renamed' in fields) part.renames.push(recordedRename(fields, line));
  else if (fields['end'] === true) part.end = partEnd(fields, line);
  else throw new RecordingError('is neither a path nor a fact', line);
}

function partHead(fields: Record<string, unknown>, line: number): OpenPart['head'] {
  if (fields['recording'] !== RECORDING_FORMAT_VERSION) {
    throw new RecordingError(
      `is of format ${shown(fields['recording'])}, not ${RECORDING_FORMAT_VERSION}`,
      line,
    );
  }
  return {
    part: count(fields['part'], line),
    method: method(fields['method'], line),
    kernel: shortText(fields['kernel'], line),
    boot: shortText(fields['boot'], line),
    started: time(fields['started'], line),
    limits: limits(fields['limits'], line),
    missing: missing(fields['missing'] ?? [], line),
  };
}

function recordedPath(value: readonly unknown[], line: number): RecordedPath {
  if (value.length !== 4) throw new RecordingError('is no path with three sets of bits', line);
  return {
    path: absolutePath(value[0], line),
    own: bits(value[1], line),
    unsure: bits(value[2], line),
    other: bits(value[3], line),
  };
}

function recordedRename(fields: Record<string, unknown>, line: number): RecordedRename {
  const pair: unknown = fields['renamed'];
  if (!Array.isArray(pair) || pair.length !== 2) throw new RecordingError('is no rename', line);
  return {
    from: absolutePath(pair[0], line),
    to: absolutePath(pair[1], line),
    by: actor(fields['by'], line),
  };
}

function partEnd(fields: Record<string, unknown>, line: number): PartEnd {
  const failure = fields['failure'];
  return {
    exitCode: count(fields['exit'], line),
    ended: time(fields['ended'], line),
    events: count(fields['events'], line),
    overflows: count(fields['overflows'], line),
    unresolved: count(fields['unresolved'], line),
    ...(failure !== undefined && { failure: shortText(failure, line) }),
  };
}

/** A path as the kernel tells it: absolute, without `.` or `..`; bytes that are no UTF-8 are lone surrogates. */
function absolutePath(value: unknown, line: number): string {
  if (
    typeof value !== 'string' ||
    value.length > MAX_PATH_CHARACTERS ||
    !value.startsWith('/') ||
    value.includes('\0')
  ) {
    throw new RecordingError('has no absolute path', line);
  }
  if (
    value !== '/' &&
    value
      .slice(1)
      .split('/')
      .some((name) => name === '' || name === '.' || name === '..')
  ) {
    throw new RecordingError('has a path that leads elsewhere', line);
  }
  return value;
}

function bits(value: unknown, line: number): number {
  const number = count(value, line);
  if (number > ALL_ACTION_BITS) throw new RecordingError('has bits that mean nothing', line);
  return number;
}

function count(value: unknown, line: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new RecordingError(`has ${shown(value)} where a number should be`, line);
  }
  return value;
}

function shortText(value: unknown, line: number): string {
  if (typeof value !== 'string' || value.length > MAX_TEXT)
    throw new RecordingError('has no short text', line);
  return value;
}

function time(value: unknown, line: number): string {
  const text = shortText(value, line);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) throw new RecordingError('has no time', line);
  return text;
}

function limits(value: unknown, line: number): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RecordingError('has no limits', line);
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > MAX_LIMITS) throw new RecordingError('has too many limits', line);
  return Object.fromEntries(entries.map(([path, words]) => [shortText(path, line), shortText(words, line)]));
}

function missing(value: unknown, line: number): string[] {
  if (!Array.isArray(value) || value.length > MAX_LIMITS)
    throw new RecordingError('has no list of mounts', line);
  return value.map((path) => absolutePath(path, line));
}

function method(value: unknown, line: number): RecordingMethod {
  const found = RECORDING_METHODS.find((known) => known === value);
  if (found === undefined) throw new RecordingError(`has the unknown method ${shown(value)}`, line);
  return found;
}

function actor(value: unknown, line: number): Actor {
  if (value === 'own' || value === 'unsure' || value === 'other') return value;
  throw new RecordingError(`has the unknown actor ${shown(value)}`, line);
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 40) ?? 'nothing';
