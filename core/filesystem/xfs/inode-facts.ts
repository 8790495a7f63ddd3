import { readU16BE, readU32BE, readU64BE } from '../../bytes/big-endian';
import { typeOfMode } from '../file-mode';
import type { Stat } from '../filesystem';
import { emptyFacts, type InodeFacts } from '../scan/tree-table';
import { forksOffset, hasBigTimes, InodeField, InodeFlag } from './inode';

/** Big times count nanoseconds from the first second that the old form could hold. */
const BIG_TIME_START_SECONDS = 2_147_483_648;
const NS_PER_SECOND = 1_000_000_000;

/**
 * @param inode the bytes of a verified inode
 * @param into one object for a whole scan, which fills it a million times
 */
export function readFacts(inode: Uint8Array, into: InodeFacts): void {
  const mode = readU16BE(inode, InodeField.mode);
  const flags = readU16BE(inode, InodeField.flags);
  const isBig = hasBigTimes(inode);
  const isVersion1 = inode[InodeField.version]! < 2;
  into.mode = mode;
  into.uid = readU32BE(inode, InodeField.uid);
  into.gid = readU32BE(inode, InodeField.gid);
  into.links = isVersion1 ? readU16BE(inode, InodeField.linksOfVersion1) : readU32BE(inode, InodeField.links);
  into.sizeBytes = readU64BE(inode, InodeField.size);
  into.mtimeSeconds = isBig ? bigSeconds(inode, InodeField.mtime) : readU32BE(inode, InodeField.mtime) | 0;
  into.mtimeNanoseconds = isBig
    ? bigFraction(inode, InodeField.mtime)
    : readU32BE(inode, InodeField.mtime + 4);
  into.ctimeSeconds = isBig ? bigSeconds(inode, InodeField.ctime) : readU32BE(inode, InodeField.ctime) | 0;
  into.ctimeNanoseconds = isBig
    ? bigFraction(inode, InodeField.ctime)
    : readU32BE(inode, InodeField.ctime + 4);
  into.immutable = (flags & InodeFlag.IMMUTABLE) !== 0;
  into.appendOnly = (flags & InodeFlag.APPEND) !== 0;
  into.major = 0;
  into.minor = 0;
  if (isDevice(mode)) {
    // As System V kept them: 14 bits and 18.
    const word = readU32BE(inode, forksOffset(inode));
    into.major = word >>> 18;
    into.minor = word & 0x3ffff;
  }
}

/** What lstat(2) says of one inode. @param inode the bytes of a verified inode */
export function statOf(inode: Uint8Array, number: number): Stat {
  const facts = emptyFacts();
  readFacts(inode, facts);
  return {
    inode: number,
    type: typeOfMode(facts.mode, number),
    mode: facts.mode & 0o7777,
    uid: facts.uid,
    gid: facts.gid,
    sizeBytes: facts.sizeBytes,
    links: facts.links,
    mtimeNs: nanosecondsOf(facts.mtimeSeconds, facts.mtimeNanoseconds),
    ctimeNs: nanosecondsOf(facts.ctimeSeconds, facts.ctimeNanoseconds),
    ...(isDevice(facts.mode) && { device: { major: facts.major, minor: facts.minor } }),
    immutable: facts.immutable,
    appendOnly: facts.appendOnly,
  };
}

function isDevice(mode: number): boolean {
  return mode >>> 12 === 2 || mode >>> 12 === 6;
}

function nanosecondsOf(seconds: number, nanoseconds: number): bigint {
  return BigInt(seconds) * BigInt(NS_PER_SECOND) + BigInt(nanoseconds);
}

/** Long division of 64 bits, sixteen at a time, for numbers hold 53. */
function bigSeconds(bytes: Uint8Array, at: number): number {
  let seconds = 0;
  let rest = 0;
  for (let part = 0; part < 8; part += 2) {
    const dividend = rest * 0x10000 + readU16BE(bytes, at + part);
    const digit = Math.floor(dividend / NS_PER_SECOND);
    seconds = seconds * 0x10000 + digit;
    rest = dividend - digit * NS_PER_SECOND;
  }
  return seconds - BIG_TIME_START_SECONDS;
}

function bigFraction(bytes: Uint8Array, at: number): number {
  let rest = 0;
  for (let part = 0; part < 8; part += 2) {
    rest = (rest * 0x10000 + readU16BE(bytes, at + part)) % NS_PER_SECOND;
  }
  return rest;
}
