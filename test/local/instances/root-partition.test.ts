import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findRootPartition } from '../../../local/instances/root-partition';

const MIB = 1024 ** 2;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'imageelves-partition-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function disk(...writes: [offset: number, bytes: Buffer][]): Promise<string> {
  const name = path.join(folder, `${writes.length}-${Math.random()}.raw`);
  const file = await open(name, 'w');
  await file.truncate(64 * MIB);
  for (const [offset, bytes] of writes) await file.write(bytes, 0, bytes.length, offset);
  await file.close();
  return name;
}

const ext4At = (offset: number): [number, Buffer] => [offset + 1024 + 56, Buffer.from([0x53, 0xef])];
const xfsAt = (offset: number): [number, Buffer] => [offset, Buffer.from('XFSB')];
const SIGNATURE: [number, Buffer] = [510, Buffer.from([0x55, 0xaa])];

function mbrEntry(slot: number, startBytes: number, sizeBytes: number): [number, Buffer] {
  const entry = Buffer.alloc(16);
  entry[4] = 0x83;
  entry.writeUInt32LE(startBytes / 512, 8);
  entry.writeUInt32LE(sizeBytes / 512, 12);
  return [446 + slot * 16, entry];
}

function gpt(...partitions: [start: number, size: number][]): [number, Buffer][] {
  const header = Buffer.alloc(512);
  header.write('EFI PART', 'latin1');
  header.writeBigUInt64LE(2n, 72);
  header.writeUInt32LE(128, 80);
  header.writeUInt32LE(128, 84);
  const entries = partitions.map(([start, size], index): [number, Buffer] => {
    const entry = Buffer.alloc(128, 0);
    entry.fill(0xab, 0, 16);
    entry.writeBigUInt64LE(BigInt(start / 512), 32);
    entry.writeBigUInt64LE(BigInt((start + size) / 512 - 1), 40);
    return [1024 + index * 128, entry];
  });
  return [SIGNATURE, [512, header], ...entries];
}

test('a bare filesystem is the root', async () => {
  expect(await findRootPartition(await disk(ext4At(0)))).toEqual({
    offsetBytes: 0,
    sizeBytes: 64 * MIB,
    filesystem: 'ext4',
  });
});

test('the largest Linux filesystem of a GPT is the root', async () => {
  const raw = await disk(
    ...gpt([MIB, MIB], [4 * MIB, 8 * MIB], [16 * MIB, 40 * MIB]),
    ext4At(4 * MIB),
    xfsAt(16 * MIB),
  );
  expect(await findRootPartition(raw)).toEqual({
    offsetBytes: 16 * MIB,
    sizeBytes: 40 * MIB,
    filesystem: 'xfs',
  });
});

test('an MBR partition is found too', async () => {
  const raw = await disk(SIGNATURE, mbrEntry(0, MIB, 32 * MIB), ext4At(MIB));
  expect(await findRootPartition(raw)).toEqual({ offsetBytes: MIB, sizeBytes: 32 * MIB, filesystem: 'ext4' });
});

test('a partition that ends behind the disk, and a disk of nothing, have no root', async () => {
  const tooLong = await disk(SIGNATURE, mbrEntry(0, MIB, 640 * MIB), ext4At(MIB));
  await expect(findRootPartition(tooLong)).rejects.toMatchObject({ name: 'NoRootPartitionError' });
  await expect(findRootPartition(await disk())).rejects.toMatchObject({ name: 'NoRootPartitionError' });
});
