import { ImageElvesError } from '../errors';

/** These bytes are no initramfs that can be read here. */
export class InitramfsError extends ImageElvesError {
  override readonly name = 'InitramfsError';
  constructor(problem: string, offsetBytes?: number) {
    super(
      `The initramfs cannot be compared by content: ${problem}${offsetBytes === undefined ? '' : ` (at byte ${offsetBytes})`}.`,
      { problem, offsetBytes },
      'Machines whose initramfs differs in any byte each need their own run.',
    );
  }
}

/** One entry of an archive. Inode numbers and times are left out: they say when it was made. */
export interface CpioEntry {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly device: readonly [major: number, minor: number];
  readonly content: Uint8Array;
  /** Same for all names of one file; undefined for a file with one name. */
  readonly linkGroup: string | undefined;
}

const HEADER_BYTES = 110;
const MOST_ENTRIES = 200_000;
const LONGEST_NAME_BYTES = 4096;
const TRAILER = 'TRAILER!!!';
/** `newc`, without and with checksums (Linux: Documentation/driver-api/early-userspace/buffer-format.rst). */
const MAGICS = ['070701', '070702'];

export function isCpio(bytes: Uint8Array, at: number): boolean {
  return MAGICS.includes(Buffer.from(bytes.subarray(at, at + 6)).toString('latin1'));
}

/**
 * The entries of the archive that begins at `start`, and where it ends.
 *
 * @throws InitramfsError
 */
export function readCpio(bytes: Uint8Array, start: number): { entries: CpioEntry[]; end: number } {
  const entries: CpioEntry[] = [];
  let at = start;
  for (;;) {
    const from = at;
    if (at + HEADER_BYTES > bytes.length) throw new InitramfsError('an archive without an end', at);
    if (!isCpio(bytes, at)) throw new InitramfsError('no archive header', at);
    const header = Buffer.from(bytes.subarray(at, at + HEADER_BYTES)).toString('latin1');
    const field = (index: number): number => {
      const digits = header.slice(6 + index * 8, 14 + index * 8);
      if (!/^[0-9A-Fa-f]{8}$/.test(digits)) throw new InitramfsError('a header that is no number', from);
      return Number.parseInt(digits, 16);
    };
    const [nameBytes, sizeBytes] = [field(11), field(6)];
    if (nameBytes < 1 || nameBytes > LONGEST_NAME_BYTES) throw new InitramfsError('a name too long', at);
    const content = aligned(at + HEADER_BYTES + nameBytes, start);
    if (content + sizeBytes > bytes.length) throw new InitramfsError('a file beyond the end', at);
    const name = Buffer.from(bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + nameBytes - 1)).toString(
      'latin1',
    );
    at = aligned(content + sizeBytes, start);
    if (name === TRAILER) return { entries, end: Math.min(at, bytes.length) };
    if (entries.length >= MOST_ENTRIES) throw new InitramfsError('too many entries', at);
    entries.push({
      name: name.replace(/^(\.?\/)+(?=.)/, ''),
      mode: field(1),
      uid: field(2),
      gid: field(3),
      device: [field(9), field(10)],
      content: bytes.subarray(content, content + sizeBytes),
      linkGroup: field(4) > 1 && isFile(field(1)) ? [field(7), field(8), field(0)].join(':') : undefined,
    });
  }
}

function isFile(mode: number): boolean {
  return (mode & 0o170_000) === 0o100_000;
}

/** Names and contents are padded to four bytes from the start of the archive. */
function aligned(at: number, start: number): number {
  return start + Math.ceil((at - start) / 4) * 4;
}
