import { execFile } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SECTOR_BYTES = 512;

/** What sfdisk says of a partition of a disk image. */
export interface SfdiskPartition {
  readonly number: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly partUuid: string;
  readonly name: string | undefined;
}

/**
 * Makes a disk image with a partition table. @param script input of sfdisk(8): `label: gpt`, then a line a partition
 */
export async function makeDisk(
  file: string,
  sizeMiB: number,
  script: string,
): Promise<{ diskUuid: string; partitions: SfdiskPartition[] }> {
  await writeFile(file, '');
  await truncate(file, sizeMiB * 1024 * 1024);
  await writeFile(`${file}.sfdisk`, script);
  await run('sh', ['-c', 'sfdisk --quiet "$0" < "$0.sfdisk"', file]);
  const { stdout } = await run('sfdisk', ['--json', file]);
  const { partitiontable: table } = JSON.parse(stdout) as {
    partitiontable: {
      id: string;
      partitions: { node: string; start: number; size: number; uuid?: string; name?: string }[];
    };
  };
  const diskUuid = table.id.toLowerCase().replace(/^0x/, '');
  return {
    diskUuid,
    partitions: table.partitions.map(({ node, start, size, uuid, name }) => {
      const number = Number(/(\d+)$/.exec(node)?.[1]);
      return {
        number,
        offsetBytes: start * SECTOR_BYTES,
        sizeBytes: size * SECTOR_BYTES,
        // An MBR has no UUIDs of partitions: the kernel makes them of the disk's number and the partition's.
        partUuid: uuid?.toLowerCase() ?? `${diskUuid}-${String(number).padStart(2, '0')}`,
        name,
      };
    }),
  };
}

/** Fills a partition by a command that writes a file of its size: `mkfs.ext4 -q`, `mkswap`. */
export async function fillPartition(
  disk: string,
  { offsetBytes, sizeBytes }: SfdiskPartition,
  mkfs: readonly string[],
): Promise<void> {
  const part = `${disk}.part`;
  await writeFile(part, '');
  await truncate(part, sizeBytes);
  const [command, ...args] = mkfs;
  await run(command!, [...args, part]);
  await run('dd', [
    `if=${part}`,
    `of=${disk}`,
    `seek=${offsetBytes}`,
    'bs=1M',
    'conv=notrunc,sparse',
    'oflag=seek_bytes',
    'status=none',
  ]);
}

/** UUID and label as blkid(8) reads them. */
export async function blkid(
  disk: string,
  { offsetBytes, sizeBytes }: SfdiskPartition,
): Promise<{ uuid: string | undefined; label: string | undefined }> {
  const { stdout } = await run('blkid', ['-p', `-O${offsetBytes}`, `-S${sizeBytes}`, '-o', 'export', disk]);
  return {
    uuid: /^UUID=(.*)$/m.exec(stdout)?.[1],
    label: /^LABEL=(.*)$/m.exec(stdout)?.[1]?.replace(/\\ /g, ' '),
  };
}
