import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { partsOf } from '../../../local/disks/partitions';

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
const lvmAt = (offset: number): [number, Buffer] => [offset + 512, Buffer.from('LABELONE')];
const fatAt = (offset: number): [number, Buffer][] => [
  [offset + 54, Buffer.from('FAT16   ')],
  [offset + 510, Buffer.from([0x55, 0xaa])],
];
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
    Buffer.from('00112233445566778899aabbccddeeff', 'hex').copy(entry, 16);
    entry.writeBigUInt64LE(BigInt(start / 512), 32);
    entry.writeBigUInt64LE(BigInt((start + size) / 512 - 1), 40);
    return [1024 + index * 128, entry];
  });
  return [SIGNATURE, [512, header], ...entries];
}

test('a bare filesystem takes the whole disk', async () => {
  expect(await partsOf(await disk(ext4At(0)))).toEqual([
    { offsetBytes: 0, sizeBytes: 64 * MIB, kind: 'ext4' },
  ]);
});

test('what stands in the partitions of a GPT, with the name that PARTUUID= takes', async () => {
  const raw = await disk(
    ...gpt([MIB, MIB], [4 * MIB, 8 * MIB], [16 * MIB, 32 * MIB], [48 * MIB, 8 * MIB]),
    ...fatAt(4 * MIB),
    xfsAt(16 * MIB),
    lvmAt(48 * MIB),
  );
  const parts = await partsOf(raw);
  expect(parts.map(({ number, kind }) => [number, kind])).toEqual([
    [1, 'unknown'],
    [2, 'vfat'],
    [3, 'xfs'],
    [4, 'lvm2'],
  ]);
  expect(parts[2]).toMatchObject({
    offsetBytes: 16 * MIB,
    sizeBytes: 32 * MIB,
    partUuid: '33221100-5544-7766-8899-aabbccddeeff',
  });
});

test('an MBR partition is found too', async () => {
  const raw = await disk(SIGNATURE, mbrEntry(0, MIB, 32 * MIB), ext4At(MIB));
  expect(await partsOf(raw)).toEqual([{ number: 1, offsetBytes: MIB, sizeBytes: 32 * MIB, kind: 'ext4' }]);
});

test('a partition that ends behind the disk is none, and an empty disk has none', async () => {
  expect(await partsOf(await disk(SIGNATURE, mbrEntry(0, MIB, 640 * MIB), ext4At(MIB)))).toEqual([]);
  expect(await partsOf(await disk())).toEqual([]);
});
