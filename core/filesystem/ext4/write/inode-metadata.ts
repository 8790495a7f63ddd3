import type { Metadata } from '../../filesystem';
import type { InodeEdit } from './inode-edit';

const SECOND_NS = 1_000_000_000n;
const EARLIEST_NS = -(2n ** 31n) * SECOND_NS;
const LATEST_OLD_NS = (2n ** 31n - 1n) * SECOND_NS;
const LATEST_NS = 0x3_7fff_ffffn * SECOND_NS;
/** Bytes after the first 128 of an inode that hold the further bits of mtime. */
const MTIME_EXTRA_END = 12;

/** Owner, permissions and times. */
export function setOwnerAndTimes(inode: InodeEdit, metadata: Metadata): void {
  const { fields } = inode;
  fields.mode = (fields.mode & ~0o7777) | (metadata.mode & 0o7777);
  fields.uid = metadata.uid;
  fields.gid = metadata.gid;
  setTimes(inode, metadata.mtimeNs);
}

/** Time of modification, and that of change with it: there is no clock here. */
export function setTimes(inode: InodeEdit, mtimeNs: bigint): void {
  inode.fields.mtimeNs = storableTime(inode, mtimeNs);
  inode.fields.ctimeNs = inode.fields.mtimeNs;
  inode.isChanged = true;
}

/** The nearest time that the inode can hold, as the kernel takes it: to 2038, or with further bits to 2446. */
function storableTime(inode: InodeEdit, timeNs: bigint): bigint {
  const hasExtraBits = inode.fields.extraIsize >= MTIME_EXTRA_END;
  const latest = hasExtraBits ? LATEST_NS : LATEST_OLD_NS;
  if (timeNs < EARLIEST_NS) {
    return EARLIEST_NS;
  }
  return timeNs > latest ? latest : timeNs;
}
