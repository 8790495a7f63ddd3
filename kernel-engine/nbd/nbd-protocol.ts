/**
 * Numbers of the NBD protocol (github.com/NetworkBlockDevice/nbd, doc/proto.md), baseline: fixed newstyle handshake, simple
 * replies. All fields are big-endian.
 */

/** Handshake. */
export const NBD_MAGIC = 0x4e42444d41474943n;
export const OPTION_MAGIC = 0x49484156454f5054n;
export const OPTION_REPLY_MAGIC = 0x3e889045565a9n;

export const HandshakeFlag = { FIXED_NEWSTYLE: 1, NO_ZEROES: 2 } as const;

export const Option = { EXPORT_NAME: 1, ABORT: 2, LIST: 3, INFO: 6, GO: 7 } as const;

export const OptionReply = {
  ACK: 1,
  SERVER: 2,
  INFO: 3,
  ERR_UNSUPPORTED: 0x80000001,
  ERR_INVALID: 0x80000003,
  ERR_UNKNOWN: 0x80000006,
} as const;

export const Info = { EXPORT: 0, NAME: 1, BLOCK_SIZE: 3 } as const;

export const TransmissionFlag = {
  HAS_FLAGS: 1,
  READ_ONLY: 1 << 1,
  SEND_FLUSH: 1 << 2,
  SEND_FUA: 1 << 3,
  SEND_TRIM: 1 << 5,
  SEND_WRITE_ZEROES: 1 << 6,
  CAN_MULTI_CONN: 1 << 8,
} as const;

/** Transmission. */
export const REQUEST_MAGIC = 0x25609513;
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const REQUEST_BYTES = 28;

export const Command = { READ: 0, WRITE: 1, DISCONNECT: 2, FLUSH: 3, TRIM: 4, WRITE_ZEROES: 6 } as const;

export const CommandFlag = { FUA: 1, NO_HOLE: 1 << 1 } as const;

export const NbdErrno = { OK: 0, EPERM: 1, EIO: 5, EINVAL: 22, ENOSPC: 28 } as const;

/** What a client may count on when it did not ask ("Size constraints"). */
export const MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;
export const MIN_BLOCK_BYTES = 1;
export const PREFERRED_BLOCK_BYTES = 4096;
