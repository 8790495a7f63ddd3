import type { RecordChanges, RecordCodec, RecordFile } from '../../core/records/record-codec';
import { RecordConflictError, RecordFormatError } from '../../core/records/record-errors';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

/**
 * The smallest record format: a line `key=value` is a record, a line with `#` is remainder. Values that begin with `!`
 * are unique, as user ids are: two keys with one of them are a conflict.
 */
const lineRecords: RecordCodec = {
  name: 'test-lines',
  matches: (path) => /^\/etc\/.*\.table-?$/.test(path) || /^\/etc\/(passwd|group)-?$/.test(path),
  parse: (bytes) => parse(text(bytes)),
};

export const lineCodecFor = (path: string): RecordCodec | undefined =>
  lineRecords.matches(path) ? lineRecords : undefined;

function parse(content: string): RecordFile {
  const lines = content.split('\n').slice(0, -1);
  const records = new Map<string, Uint8Array>();
  for (const line of lines) {
    if (line.startsWith('#')) continue;
    const [, key] = /^([^=]+)=/.exec(line) ?? [];
    if (key === undefined) throw new RecordFormatError(lineRecords.name, 'a line without =');
    records.set(key, bytesOf(line));
  }
  const remainder = bytesOf(lines.filter((line) => line.startsWith('#')).join('\n'));
  return { records, remainder, merge: (changes) => merge(lines, records, changes) };
}

function merge(
  lines: string[],
  records: ReadonlyMap<string, Uint8Array>,
  changes: RecordChanges,
): Uint8Array {
  const kept = lines.flatMap((line) => {
    const key = line.split('=')[0]!;
    if (line.startsWith('#') || !changes.has(key)) return [line];
    const put = changes.get(key);
    return put === undefined ? [] : [text(put)];
  });
  for (const [key, put] of changes) if (put !== undefined && !records.has(key)) kept.push(text(put));
  const owners = new Map<string, string>();
  for (const line of kept) {
    const [key, value] = line.split('=');
    if (value?.startsWith('!') !== true) continue;
    const owner = owners.get(value);
    if (owner !== undefined)
      throw new RecordConflictError(lineRecords.name, key!, owner, `${value} is taken`);
    owners.set(value, key!);
  }
  return bytesOf(kept.map((line) => `${line}\n`).join(''));
}
