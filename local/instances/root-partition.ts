import { open, type FileHandle } from 'node:fs/promises';

const SECTOR = 512;

/** A filesystem inside a raw disk file. */
export interface RootPartition {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly filesystem: 'ext4' | 'xfs' | 'btrfs';
}

/** Raised when a disk holds no filesystem that a machine could be booted from. */
export class NoRootPartitionError extends Error {
  override readonly name = 'NoRootPartitionError';
}

interface Range {
  offsetBytes: number;
  sizeBytes: number;
}

/**
 * The largest filesystem of a kind that Linux boots from: on the bare disk, or in a GPT or MBR partition. The kernel
 * need not know partitions of loop devices.
 * @throws NoRootPartitionError
 */
export async function findRootPartition(rawFile: string): Promise<RootPartition> {
  const file = await open(rawFile);
  try {
    const { size } = await file.stat();
    const found: RootPartition[] = [];
    for (const range of [{ offsetBytes: 0, sizeBytes: size }, ...(await partitions(file))]) {
      const filesystem = await filesystemAt(file, range.offsetBytes);
      if (filesystem && range.offsetBytes + range.sizeBytes <= size) found.push({ ...range, filesystem });
    }
    const [largest] = found.sort((a, b) => b.sizeBytes - a.sizeBytes);
    if (!largest)
      throw new NoRootPartitionError(`${rawFile} holds no ext4, XFS or btrfs filesystem to boot from.`);
    return largest;
  } finally {
    await file.close();
  }
}

async function partitions(file: FileHandle): Promise<Range[]> {
  const mbr = await read(file, 0, SECTOR);
  if (mbr.readUInt16LE(510) !== 0xaa55) return [];
  const header = await read(file, SECTOR, SECTOR);
  return header.toString('latin1', 0, 8) === 'EFI PART' ? gptPartitions(file, header) : mbrPartitions(mbr);
}

/** UEFI specification 2.10, section 5.3: header and partition entry array. */
async function gptPartitions(file: FileHandle, header: Buffer): Promise<Range[]> {
  const table = Number(header.readBigUInt64LE(72)) * SECTOR;
  const count = Math.min(header.readUInt32LE(80), 1024);
  const entryBytes = Math.min(Math.max(header.readUInt32LE(84), 128), 4096);
  const entries = await read(file, table, count * entryBytes);
  const ranges: Range[] = [];
  for (let index = 0; index < count; index += 1) {
    const entry = entries.subarray(index * entryBytes, (index + 1) * entryBytes);
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue;
    const first = Number(entry.readBigUInt64LE(32));
    const last = Number(entry.readBigUInt64LE(40));
    ranges.push({ offsetBytes: first * SECTOR, sizeBytes: (last - first + 1) * SECTOR });
  }
  return ranges;
}

function mbrPartitions(mbr: Buffer): Range[] {
  return [446, 462, 478, 494].flatMap((at) => {
    const [first, count] = [mbr.readUInt32LE(at + 8), mbr.readUInt32LE(at + 12)];
    return mbr[at + 4] === 0 || count === 0
      ? []
      : [{ offsetBytes: first * SECTOR, sizeBytes: count * SECTOR }];
  });
}

async function filesystemAt(
  file: FileHandle,
  offset: number,
): Promise<RootPartition['filesystem'] | undefined> {
  if ((await read(file, offset, 4)).toString('latin1') === 'XFSB') return 'xfs';
  if ((await read(file, offset + 1024 + 56, 2)).readUInt16LE(0) === 0xef53) return 'ext4';
  if ((await read(file, offset + 65_536 + 64, 8)).toString('latin1') === '_BHRfS_M') return 'btrfs';
  return undefined;
}

async function read(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, offset);
  return bytes;
}
