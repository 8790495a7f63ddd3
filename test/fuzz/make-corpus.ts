import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { fillPartition, makeDisk } from '../support/disk-with-partitions';
import { makeImage, onMountedImage } from '../support/mounted-image';
import { copyLogicalVolume, makeVolumeGroup } from '../support/volume-group';

/**
 * Makes the images that are mutated. Run as root when the corpus is to change: `npx tsx test/fuzz/make-corpus.ts`.
 * The finds are changes to these very bytes: made anew, the finds of the old corpus no longer say anything.
 */
const run = promisify(execFile);
const FOLDER = join(__dirname, 'corpus');
const EXT4 = [
  'mkfs.ext4',
  '-q',
  '-F',
  '-b',
  '1024',
  '-N',
  '128',
  '-J',
  'size=1',
  '-E',
  'nodiscard,lazy_itable_init=0',
];
const FILL = (scale: number): string => `"$PYTHON" "$SUPPORT/../fuzz/fill-corpus.py" "$MNT" ${scale}`;

let folder: string;
const path = (name: string): string => join(folder, name);

async function keep(name: string, file: string): Promise<void> {
  const bytes = await readFile(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  const packed = brotliCompressSync(bytes, { params });
  await writeFile(join(FOLDER, `${name}.img.br`), packed);
  process.stdout.write(`${name}: ${bytes.length} bytes, packed ${packed.length}\n`);
}

async function filled(
  name: string,
  sizeMiB: number,
  mkfs: readonly string[],
  scale: number,
): Promise<string> {
  const file = path(name);
  await makeImage(file, sizeMiB, mkfs);
  await onMountedImage(file, FILL(scale));
  await keep(name, file);
  return file;
}

/** As a power cut leaves it: the journal holds what is not in its place. */
async function cut(name: string, sizeMiB: number, mkfs: readonly string[]): Promise<void> {
  const [file, copy] = [path(name), path(`${name}-cut`)];
  await makeImage(file, sizeMiB, mkfs);
  await onMountedImage(file, `${FILL(1)}; rm "$MNT/comb" "$MNT/few/"*; sync "$MNT"; cp "$IMAGE" "$COPY"`, {
    environment: { COPY: copy },
  });
  await keep(name, copy);
}

const PROTOTYPE = `/
0 0
d--755 0 0
file ---644 0 0 /etc/services
link l--777 0 0 some/where
sub d--755 1 2
null c--666 0 0 1 3
FILES
$
$
`;

async function xfs4(): Promise<void> {
  const [file, prototype] = [path('xfs-4'), path('prototype')];
  const names = Array.from(
    { length: 60 },
    (_, index) => `name-${index}-${'x'.repeat(30)} ---600 0 0 /etc/hostname`,
  );
  await writeFile(prototype, PROTOTYPE.replace('FILES', names.join('\n')));
  await makeImage(file, 16, [
    'mkfs.xfs',
    '--unsupported',
    '-q',
    '-f',
    '-m',
    'crc=0',
    '-d',
    'agcount=1',
    '-p',
    prototype,
  ]);
  await keep('xfs-4', file);
}

async function fat(bits: number, sizeMiB: number): Promise<void> {
  const name = `fat-${bits}`;
  const file = path(name);
  await makeImage(file, sizeMiB, [
    'mkfs.vfat',
    '-F',
    String(bits),
    '-s',
    '1',
    '-n',
    'EFI',
    '-i',
    '0a1b2c3d',
    '--invariant',
  ]);
  await run('mmd', ['-i', file, '::/EFI', '::/EFI/debian', '::/EFI/BOOT']);
  const content = path('content');
  await writeFile(content, 'x'.repeat(5000));
  for (const target of [
    'EFI/debian/grubx64.efi',
    'EFI/BOOT/BOOTX64.EFI',
    'a long name, with blanks.config',
    'short.txt',
  ])
    await run('mcopy', ['-i', file, content, `::/${target}`]);
  await keep(name, file);
}

/** Two disks: GPT with ext4 root, FAT and swap; MBR with a logical partition; LVM on both. */
async function disks(): Promise<void> {
  const root = path('root.tree');
  await run('mkdir', [
    '-p',
    join(root, 'etc'),
    join(root, 'boot/efi'),
    join(root, 'srv'),
    join(root, 'data'),
  ]);
  await writeFile(
    join(root, 'etc/fstab'),
    'LABEL=root / ext4 defaults 0 1\nLABEL=ESP /boot/efi vfat defaults\n/dev/vg/srv /srv ext4 defaults\n/dev/sdf5 /data ext4 nofail\n',
  );
  await writeFile(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID="12"\n');
  const [first, second] = [path('disk-gpt'), path('disk-mbr')];
  const gpt = await makeDisk(first, 6, 'label: gpt\nsize=1M, type=U\nsize=2M\nsize=1M, type=S\n');
  const [esp, main, swap] = gpt.partitions;
  await fillPartition(first, esp!, ['mkfs.vfat', '-n', 'ESP', '-s', '1']);
  await fillPartition(first, main!, [
    'mkfs.ext4',
    '-q',
    '-b',
    '1024',
    '-N',
    '64',
    '-O',
    '^has_journal',
    '-L',
    'root',
    '-d',
    root,
  ]);
  await fillPartition(first, swap!, ['mkswap', '-q']);
  await keep('disk-gpt', first);
  const mbr = await makeDisk(second, 4, 'label: dos\nsize=1M\ntype=5\nsize=1M\n');
  await fillPartition(
    second,
    mbr.partitions.find(({ number }) => number === 5)!,
    ['mkfs.ext4', '-q', '-b', '1024', '-N', '16', '-O', '^has_journal'],
  );
  await keep('disk-mbr', second);
  const [one, two, flat] = [path('disk-pv-1'), path('disk-pv-2'), path('flat')];
  await makeVolumeGroup('vg', { [one]: 5, [two]: 5 }, [
    'lvcreate -q -an -Zn -Wn -i2 -I64 -L 4m -n srv vg',
    'lvcreate -q -an -Zn -Wn -l 2 -n data vg',
  ]);
  await makeImage(flat, 4, ['mkfs.ext4', '-q', '-b', '1024', '-N', '64', '-O', '^has_journal', '-d', root]);
  await copyLogicalVolume('in', flat, [
    {
      on: [
        [one, 0],
        [two, 0],
      ],
      extents: 4,
      chunkBytes: 65536,
    },
  ]);
  await keep('disk-pv-1', one);
  await keep('disk-pv-2', two);
}

async function main(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'corpus-'));
  try {
    await filled('ext4', 5, [...EXT4, '-O', 'metadata_csum,64bit'], 4);
    await filled('ext4-plain', 5, [...EXT4, '-O', '^metadata_csum,^64bit,uninit_bg'], 4);
    await filled(
      'ext4-inline',
      5,
      [...EXT4, '-I', '512', '-O', 'metadata_csum,inline_data,ea_inode,meta_bg,^resize_inode'],
      2,
    );
    await filled('ext4-bigalloc', 6, [...EXT4, '-O', 'metadata_csum,bigalloc', '-C', '4096'], 1);
    await filled(
      'ext3',
      5,
      ['mkfs.ext3', '-q', '-F', '-b', '1024', '-N', '128', '-J', 'size=1', '-O', '^metadata_csum'],
      2,
    );
    await cut('ext4-cut', 4, [...EXT4, '-O', '^metadata_csum']);
    await cut('ext4-cut-sums', 4, [...EXT4, '-O', 'metadata_csum']);
    await filled(
      'xfs',
      18,
      [
        'mkfs.xfs',
        '--unsupported',
        '-q',
        '-f',
        '-d',
        'agcount=1',
        '-m',
        'uuid=11111111-2222-3333-4444-555555555555',
      ],
      5,
    );
    await filled(
      'xfs-small-blocks',
      18,
      ['mkfs.xfs', '--unsupported', '-q', '-f', '-b', 'size=1024', '-d', 'agcount=1'],
      5,
    );
    await xfs4();
    await fat(12, 1);
    await fat(16, 4);
    await fat(32, 34);
    await disks();
  } finally {
    await rm(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
