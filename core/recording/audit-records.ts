import { decodeName } from '../bytes/names';

/** `type=PATH msg=audit(1364481363.243:24287): item=0 ...`: seconds, milliseconds, number of the event (audit.rules(7)). */
const RECORD = /^type=([A-Za-z0-9_[\]]{1,40}) msg=audit\((\d{1,12})\.(\d{3}):(\d{1,10})\): ?(.*)$/s;

const numberField = (field: string): RegExp => new RegExp(`(?:^| )${field}=(-?\\d{1,15})(?: |$)`);
/**
 * Audit quotes a string that has no space, quote or byte outside of ASCII in it, and writes any other in hexadecimal; where
 * there is none it is `(null)`.
 */
const stringField = (field: string): RegExp => new RegExp(`(?:^| )${field}=(?:"([^"]*)"|([0-9A-F]+)(?: |$))`);

const PID = numberField('pid');
const PARENT = numberField('ppid');
const ITEMS = numberField('items');
const RESULT = numberField('exit');
const ARGUMENTS = [0, 1, 2, 3].map((index) => new RegExp(` a${index}=([0-9a-f]{1,16})`));
const NAME = stringField('name');
const WORKING_FOLDER = stringField('cwd');

export interface AuditRecord {
  readonly type: string;
  /** When the call began, by the kernel's coarse clock. */
  readonly timeMs: number;
  /** Number of the event that the record is of. */
  readonly serial: number;
  readonly text: string;
}

export interface AuditCall {
  readonly key: string;
  readonly pid: number;
  readonly parent: number;
  readonly result: number;
  /** The first four, as unsigned numbers in hexadecimal. */
  readonly arguments: readonly string[];
  /** PATH records that belong to it. */
  readonly items: number;
}

export interface AuditPath {
  /** As the program gave it; undefined where it gave a descriptor alone. */
  readonly name: string | undefined;
  /** Device and inode, where they are told. */
  readonly inode: string | undefined;
  readonly isDirectory: boolean;
  readonly kind: string;
}

export function auditRecord(line: string): AuditRecord | undefined {
  const [, type, seconds, milliseconds, serial, text] = RECORD.exec(line) ?? [];
  if (type === undefined || text === undefined) return undefined;
  return { type, timeMs: Number(seconds) * 1000 + Number(milliseconds), serial: Number(serial), text };
}

/** Undefined for a call that no rule with a key asked for. */
export function auditCall(text: string): AuditCall | undefined {
  const [pid, parent, items] = [number(text, PID), number(text, PARENT), number(text, ITEMS)];
  const key = / key="([^"]*)"/.exec(text)?.[1];
  if (key === undefined || pid === undefined || parent === undefined || items === undefined) return undefined;
  return {
    key,
    pid,
    parent,
    items,
    result: number(text, RESULT) ?? 0,
    arguments: ARGUMENTS.map((argument) => argument.exec(text)?.[1] ?? ''),
  };
}

export function auditPath(text: string): AuditPath {
  const inode = / inode=(\d{1,20}) dev=([0-9a-f]+:[0-9a-f]+) /.exec(text);
  const mode = / mode=0?([0-7]{1,7})/.exec(text)?.[1] ?? '0';
  return {
    name: untrusted(text, NAME),
    inode: inode === null ? undefined : `${inode[2]}:${inode[1]}`,
    isDirectory: (Number.parseInt(mode, 8) & 0o170000) === 0o040000,
    // Kernels from 3.12 to 4.x call it objtype.
    kind: / (?:nametype|objtype)=([A-Z]{1,20})/.exec(text)?.[1] ?? '',
  };
}

export const auditFolder = (text: string): string | undefined => untrusted(text, WORKING_FOLDER);

/** Of the record OPENAT2, in octal. */
export function auditOpenFlags(text: string): number | undefined {
  const flags = / oflag=0?([0-7]{1,12})/.exec(text)?.[1];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}

function untrusted(text: string, field: RegExp): string | undefined {
  const [, quoted, hexadecimal] = field.exec(text) ?? [];
  if (quoted !== undefined) return quoted;
  if (hexadecimal === undefined || hexadecimal.length % 2 !== 0) return undefined;
  return decodeName(Buffer.from(hexadecimal, 'hex'));
}

function number(text: string, field: RegExp): number | undefined {
  const found = field.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
