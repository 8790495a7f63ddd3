import type { DirectoryEntry, FileType, ScannedEntry, Stat } from '../core/filesystem/filesystem';
import { KernelEngineError } from './errors';

/** Answers of the guest as values of ours. A hostile image may have taken the guest over: nothing is believed unchecked. */
const TYPES = new Set<FileType>([
  'file',
  'directory',
  'symlink',
  'character-device',
  'block-device',
  'fifo',
  'socket',
]);
const MAX_NAME_CHARACTERS = 255;
const SECOND_NS = 1_000_000_000n;
/** Subvolumes of btrfs number their inodes each for itself: both numbers together must fit a safe whole number. */
const SUBVOLUME_FACTOR = 2 ** 32;
const MAX_SUBVOLUME = 2 ** 21;
const IMMUTABLE = 1;
const APPEND_ONLY = 2;

export function wholeNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw unexpected(value);
  return value;
}

export function parseText(value: unknown): string {
  if (typeof value !== 'string') throw unexpected(value);
  return value;
}

/** [subvolume, inode, type, mode, uid, gid, size, links, mtime s, ns, ctime s, ns, major, minor, flags] */
export function parseStat(value: unknown): Stat {
  if (!Array.isArray(value) || value.length !== 15) throw unexpected(value);
  const type = parseType(value[2]);
  const flags = wholeNumber(value[14]);
  const stat = {
    inode: parseInode(value[0], value[1]),
    type,
    mode: wholeNumber(value[3]) & 0o7777,
    uid: wholeNumber(value[4]),
    gid: wholeNumber(value[5]),
    sizeBytes: wholeNumber(value[6]),
    links: wholeNumber(value[7]),
    mtimeNs: parseTime(value[8], value[9]),
    ctimeNs: parseTime(value[10], value[11]),
    immutable: (flags & IMMUTABLE) !== 0,
    appendOnly: (flags & APPEND_ONLY) !== 0,
  };
  if (type !== 'character-device' && type !== 'block-device') return stat;
  return { ...stat, device: { major: wholeNumber(value[12]), minor: wholeNumber(value[13]) } };
}

/** [name, subvolume, inode, type] */
export function parseEntry(value: unknown): DirectoryEntry {
  if (!Array.isArray(value) || value.length !== 4) throw unexpected(value);
  return { name: parseName(value[0]), inode: parseInode(value[1], value[2]), type: parseType(value[3]) };
}

/** [name, ...stat] in the directory of this path, which is empty above the root and at it. */
export function parseScanned(directory: string, value: unknown): ScannedEntry {
  if (!Array.isArray(value)) throw unexpected(value);
  const [name, ...stat] = value as unknown[];
  const path = directory === '' && name === '/' ? '/' : `${directory}/${parseName(name)}`;
  return { path, stat: parseStat(stat) };
}

/** [name, value in hexadecimal] */
export function parseXattr(value: unknown): [string, Uint8Array] {
  if (!Array.isArray(value) || value.length !== 2) throw unexpected(value);
  return [parseText(value[0]), new Uint8Array(Buffer.from(parseText(value[1]), 'hex'))];
}

function parseName(value: unknown): string {
  const name = parseText(value);
  const isName = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
  if (!isName || name.length > MAX_NAME_CHARACTERS) throw unexpected(value);
  return name;
}

function parseType(value: unknown): FileType {
  if (!TYPES.has(value as FileType)) throw unexpected(value);
  return value as FileType;
}

function parseInode(subvolume: unknown, inode: unknown): number {
  const [volume, number] = [wholeNumber(subvolume), wholeNumber(inode)];
  if (volume === 0) return number;
  if (number >= SUBVOLUME_FACTOR || volume >= MAX_SUBVOLUME) throw unexpected([volume, number]);
  return volume * SUBVOLUME_FACTOR + number;
}

function parseTime(seconds: unknown, nanoseconds: unknown): bigint {
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds)) throw unexpected(seconds);
  const rest = wholeNumber(nanoseconds);
  if (rest >= Number(SECOND_NS)) throw unexpected(nanoseconds);
  return BigInt(seconds) * SECOND_NS + BigInt(rest);
}

function unexpected(value: unknown): KernelEngineError {
  const text = JSON.stringify(value) ?? 'nothing';
  return new KernelEngineError(`it answers what cannot be: ${text.slice(0, 200)}`);
}
