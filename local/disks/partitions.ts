import { open, type FileHandle } from 'node:fs/promises';

const SECTOR = 512;

/** What stands on a raw disk file: bare, or in a partition. */
export interface DiskPart {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly kind: 'ext4' | 'xfs' | 'btrfs' | 'vfat' | 'lvm2' | 'unknown';
  /** Number of the partition; undefined on a bare disk. */
  readonly number?: number;
  /** GUID of a GPT partition, as PARTUUID= names it. */
  readonly partUuid?: string;
}

/** Kinds that Linux boots from. */
export const ROOT_KINDS: readonly string[] = ['ext4', 'xfs', 'btrfs'];

type Place = Omit<DiskPart, 'kind'>;

/**
 * What a disk holds: on the bare disk, else in each GPT or MBR partition that lies within it. The kernel need not know
 * partitions of loop devices.
 */
export async function partsOf(rawFile: string): Promise<DiskPart[]> {
  const file = await open(rawFile);
  try {
    const { size } = await file.stat();
    const bare = await kindAt(file, 0);
    if (bare !== 'unknown') return [{ offsetBytes: 0, sizeBytes: size, kind: bare }];
    const within = (await partitions(file)).filter(
      ({ offsetBytes, sizeBytes }) => offsetBytes + sizeBytes <= size,
    );
    return await Promise.all(
      within.map(async (place) => ({ ...place, kind: await kindAt(file, place.offsetBytes) })),
    );
  } finally {
    await file.close();
  }
}

async function partitions(file: FileHandle): Promise<Place[]> {
  const mbr = await read(file, 0, SECTOR);
  if (mbr.readUInt16LE(510) !== 0xaa55) return [];
  const header = await read(file, SECTOR, SECTOR);
  return header.toString('latin1', 0, 8) === 'EFI PART' ? gptPartitions(file, header) : mbrPartitions(mbr);
}

/** UEFI specification 2.10, section 5.3: header and partition entry array. */
async function gptPartitions(file: FileHandle, header: Buffer): Promise<Place[]> {
  const table = Number(header.readBigUInt64LE(72)) * SECTOR;
  const count = Math.min(header.readUInt32LE(80), 1024);
  const entryBytes = Math.min(Math.max(header.readUInt32LE(84), 128), 4096);
  const entries = await read(file, table, count * entryBytes);
  const found: Place[] = [];
  for (let index = 0; index < count; index += 1) {
    const entry = entries.subarray(index * entryBytes, (index + 1) * entryBytes);
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue;
    const first = Number(entry.readBigUInt64LE(32));
    const last = Number(entry.readBigUInt64LE(40));
    found.push({
      number: index + 1,
      offsetBytes: first * SECTOR,
      sizeBytes: (last - first + 1) * SECTOR,
      partUuid: guidText(entry.subarray(16, 32)),
    });
  }
  return found;
}

/** The first three fields of a GUID are stored with the low byte first. */
function guidText(bytes: Buffer): string {
  const hex = (from: number, to: number): string => bytes.subarray(from, to).toString('hex');
  const swapped = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(from, to)).reverse().toString('hex');
  return [swapped(0, 4), swapped(4, 6), swapped(6, 8), hex(8, 10), hex(10, 16)].join('-');
}

function mbrPartitions(mbr: Buffer): Place[] {
  return [446, 462, 478, 494].flatMap((at, index) => {
    const [first, count] = [mbr.readUInt32LE(at + 8), mbr.readUInt32LE(at + 12)];
    return mbr[at + 4] === 0 || count === 0
      ? []
      : [{ number: index + 1, offsetBytes: first * SECTOR, sizeBytes: count * SECTOR }];
  });
}

/** Magic numbers: xfs_dsb, ext4 and btrfs super blocks, the LVM2 label of any of the first four sectors, FAT's boot sector. */
async function kindAt(file: FileHandle, offset: number): Promise<DiskPart['kind']> {
  const head = await read(file, offset, 4 * SECTOR);
  if (head.toString('latin1', 0, 4) === 'XFSB') return 'xfs';
  if (head.readUInt16LE(1024 + 56) === 0xef53) return 'ext4';
  if ((await read(file, offset + 65_536 + 64, 8)).toString('latin1') === '_BHRfS_M') return 'btrfs';
  for (let sector = 0; sector < 4; sector += 1)
    if (head.toString('latin1', sector * SECTOR, sector * SECTOR + 8) === 'LABELONE') return 'lvm2';
  const isFat = head.toString('latin1', 54, 57) === 'FAT' || head.toString('latin1', 82, 87) === 'FAT32';
  return isFat && head.readUInt16LE(510) === 0xaa55 ? 'vfat' : 'unknown';
}

async function read(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, offset);
  return bytes;
}
