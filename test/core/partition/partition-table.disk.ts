import { execFile } from 'node:child_process';
import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { readPartitionTable } from '../../../core/partition/partition-table';
import { FileBlockDevice } from '../../support/file-block-device';
import { ImageFolder } from '../../support/mounted-image';

const run = promisify(execFile);

/** What `sfdisk --json` says of a disk. */
interface SfdiskTable {
  readonly label: string;
  readonly id: string;
  readonly sectorsize: number;
  readonly partitions: readonly {
    node: string;
    start: number;
    size: number;
    type: string;
    uuid?: string;
    name?: string;
  }[];
}

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

async function disk(name: string, sizeMiB: number): Promise<string> {
  const file = folder.image(name);
  await writeFile(file, '');
  await truncate(file, sizeMiB * 1024 * 1024);
  return file;
}

async function sfdisk(file: string, script: string): Promise<void> {
  const child = run('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', file]);
  child.child.stdin!.end(script);
  await child;
}

async function sfdiskSays(file: string): Promise<SfdiskTable> {
  const { stdout } = await run('sfdisk', ['--json', file]);
  return (JSON.parse(stdout) as { partitiontable: SfdiskTable }).partitiontable;
}

async function weSay(file: string): ReturnType<typeof readPartitionTable> {
  await using device = await FileBlockDevice.open(file);
  return await readPartitionTable(device);
}

async function overwrite(file: string, offset: number, bytes: Uint8Array): Promise<void> {
  await using handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, offset);
}

const CLOUD_IMAGE = [
  '-n',
  '14:2048:+1M',
  '-t',
  '14:EF02',
  '-n',
  '15:0:+20M',
  '-t',
  '15:EF00',
  '-c',
  '15:EFI boot',
  '-n',
  '1:0:0',
  '-c',
  '1:café',
];

describe('readPartitionTable', () => {
  it('agrees with sfdisk about a GPT', async () => {
    const file = await disk('gpt', 64);
    await run('sgdisk', [...CLOUD_IMAGE, file]);

    const [theirs, ours] = [await sfdiskSays(file), await weSay(file)];

    expect(ours.scheme).toBe('gpt');
    expect(ours.diskUuid).toBe(theirs.id.toLowerCase());
    expect(ours.partitions).toEqual(
      theirs.partitions.map(({ node, start, size, type, uuid, name }) => ({
        number: Number(/\d+$/.exec(node)![0]),
        offsetBytes: start * 512,
        sizeBytes: size * 512,
        typeGuid: type.toLowerCase(),
        partUuid: uuid!.toLowerCase(),
        name: name ?? '',
      })),
    );
    expect(ours.partitions.map(({ number, name }) => [number, name])).toEqual([
      [1, 'café'],
      [14, ''],
      [15, 'EFI boot'],
    ]);
  });

  it('reads the backup of a GPT whose start was overwritten', async () => {
    const file = await disk('backup', 64);
    await run('sgdisk', [...CLOUD_IMAGE, file]);
    const whole = await weSay(file);
    await overwrite(file, 512, new Uint8Array(16 * 1024));

    expect(await weSay(file)).toEqual(whole);

    await overwrite(file, 64 * 1024 * 1024 - 512, new Uint8Array(512));
    await expect(weSay(file)).rejects.toMatchObject({ name: 'PartitionTableError' });
  });

  it('does not believe a GPT whose entries were changed behind its checksum', async () => {
    const file = await disk('changed', 64);
    await run('sgdisk', [...CLOUD_IMAGE, file]);
    const whole = await weSay(file);
    await overwrite(file, 1024 + 32, Uint8Array.of(0xff));

    expect(await weSay(file)).toEqual(whole);
  });

  it('agrees with sfdisk about an MBR with logical partitions', async () => {
    const file = await disk('mbr', 128);
    const script = `label: dos
      label-id: 0xdeadbeef
      start=2048, size=20480, type=83, bootable
      size=10240, type=82
      type=5
      size=8192, type=83
      size=8192, type=8e
      size=16384, type=83
    `;
    await sfdisk(file, script);

    const [theirs, ours] = [await sfdiskSays(file), await weSay(file)];

    expect(ours.diskUuid).toBe('deadbeef');
    const withoutExtended = theirs.partitions.filter(({ type }) => type !== '5');
    expect(ours.partitions).toEqual(
      withoutExtended.map(({ node, start, size, type }) => {
        const number = Number(/\d+$/.exec(node)![0]);
        return {
          number,
          offsetBytes: start * 512,
          sizeBytes: size * 512,
          typeByte: Number.parseInt(type, 16),
          partUuid: `deadbeef-0${number}`,
        };
      }),
    );
    expect(ours.partitions.map(({ number }) => number)).toEqual([1, 2, 5, 6, 7]);
  });

  it('takes a chain of extended records that runs in a circle for damaged', async () => {
    const file = await disk('circle', 64);
    await sfdisk(
      file,
      'label: dos\nstart=2048, size=60000, type=5\nsize=8192, type=83\nsize=8192, type=83\n',
    );
    await using handle = await open(file, 'r+');
    // The second record's link to the next one: back to the first.
    const first = Buffer.alloc(512);
    await handle.read(first, 0, 512, 2048 * 512);
    const second = (2048 + first.readUInt32LE(446 + 16 + 8)) * 512;
    const link = Buffer.alloc(16);
    link[4] = 5;
    link.writeUInt32LE(0, 8);
    link.writeUInt32LE(100, 12);
    await handle.write(link, 0, 16, second + 446 + 16);

    await expect(weSay(file)).rejects.toMatchObject({ name: 'PartitionTableError' });
  });

  it('finds sectors of 4096 bytes by itself', async () => {
    const file = await disk('4k', 64);
    const loop = (await run('losetup', ['--show', '-f', '-b', '4096', file])).stdout.trim();
    try {
      await run('sgdisk', [...CLOUD_IMAGE.map((word) => word.replace(':2048:', ':256:')), loop]);
    } finally {
      await run('losetup', ['-d', loop]);
    }

    const { partitions } = await weSay(file);

    expect(partitions.map(({ number, offsetBytes }) => [number, offsetBytes])).toContainEqual([
      14,
      256 * 4096,
    ]);
  });

  it('finds sectors of 4096 bytes of an MBR by what stands where its partitions begin', async () => {
    const file = await disk('mbr-4k', 64);
    const loop = (await run('losetup', ['--show', '-f', '-b', '4096', file])).stdout.trim();
    try {
      const parts = ['mkpart', 'primary', '1MiB', '9MiB', 'mkpart', 'extended', '9MiB', '60MiB'];
      const logical = ['mkpart', 'logical', '10MiB', '20MiB', 'mkpart', 'logical', '21MiB', '40MiB'];
      await run('parted', ['-s', loop, 'mklabel', 'msdos', ...parts, ...logical]);
    } finally {
      await run('losetup', ['-d', loop]);
    }
    const swap = `${file}.swap`;
    await writeFile(swap, '');
    await truncate(swap, 19 * 1024 * 1024);
    await run('mkswap', ['-q', swap]);
    await overwrite(file, 21 * 1024 * 1024, (await readFile(swap)).subarray(0, 4096));

    const { partitions } = await weSay(file);

    expect(partitions.map(({ number, offsetBytes, sizeBytes }) => [number, offsetBytes, sizeBytes])).toEqual(
      [
        [1, 1, 8],
        [5, 10, 10],
        [6, 21, 19],
      ].map(([number, start, size]) => [number, start! * 1024 * 1024, size! * 1024 * 1024]),
    );
  });

  it('takes a bare filesystem for what it is', async () => {
    const file = await disk('bare', 8);
    await run('mkfs.ext4', ['-q', '-F', file]);

    expect(await weSay(file)).toEqual({ scheme: 'none', partitions: [] });
  });
});
