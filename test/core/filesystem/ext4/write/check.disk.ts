import { DirectEngine } from '../../../../../core/apply/direct-engine';
import { ImageElvesError } from '../../../../../core/errors';
import { OverlayBlockDevice } from '../../../../../core/block-device/overlay-block-device';
import { FaultingCache } from '../../../../../core/block-device/faulting-cache';
import { parseDirectoryBlock } from '../../../../../core/filesystem/ext4/directory';
import { writeInode } from '../../../../../core/filesystem/ext4/inode';
import { readSuperblock } from '../../../../../core/filesystem/ext4/open-ext4';
import { checkVolume } from '../../../../../core/filesystem/ext4/write/check-volume';
import { openExt4Writable } from '../../../../../core/filesystem/ext4/write/open-ext4-writable';
import { WriteSession } from '../../../../../core/filesystem/ext4/write/write-session';
import { VolumeReader } from '../../../../../core/filesystem/ext4/volume-reader';
import type { FilesystemWriter } from '../../../../../core/filesystem/filesystem';
import { FileBlockDevice } from '../../../../support/file-block-device';
import { performByEngine } from '../../../../support/filesystem-operations';
import { ImageFolder, makeImage, onMountedImage, FILL_TREE } from '../../../../support/mounted-image';
import { randomOperations } from '../../../../support/random-operations';
import { mkfsCommand } from '../../../../support/volume-matrix';
import { metadata } from '../../../../support/writable-image';

jest.setTimeout(60_000);

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

/** What stands where on the volume, for damaging it on purpose. */
interface Anatomy {
  readonly volume: VolumeReader;
  readonly blockSize: number;
  inodeOf(path: string): Promise<number>;
}

type Damage = (overlay: OverlayBlockDevice, anatomy: Anatomy) => Promise<void>;

async function flip(overlay: OverlayBlockDevice, offsetBytes: number, mask = 1): Promise<void> {
  const [byte] = await overlay.read(offsetBytes, 1);
  await overlay.write(offsetBytes, Uint8Array.of(byte! ^ mask));
}

/** Changes fields of an inode, with a right checksum: only what the fields mean is then wrong. */
async function spoilInode(
  overlay: OverlayBlockDevice,
  { volume, inodeOf }: Anatomy,
  path: string,
  change: (inode: ReturnType<VolumeReader['inode']>) => void,
): Promise<void> {
  const number = await inodeOf(path);
  const inode = volume.inode(number);
  const bytes = new Uint8Array(volume.inodeBytes(number));
  change(inode);
  writeInode(bytes, inode, volume.superblock, number);
  await overlay.write(volume.inodeOffsetBytes(number), bytes);
}

const damages: Record<string, { options: readonly string[]; damage: Damage; found: RegExp }> = {
  'a bit of the block bitmap': {
    options: ['-O', '^metadata_csum'],
    damage: (overlay, { volume, blockSize }) =>
      flip(overlay, volume.descriptor(0).blockBitmap * blockSize + 1000, 0x10),
    found: /free blocks: noted/,
  },
  'a bit of the block bitmap, under checksums': {
    options: [],
    damage: (overlay, { volume, blockSize }) =>
      flip(overlay, volume.descriptor(0).blockBitmap * blockSize + 1000, 0x10),
    found: /bitmap checksum/,
  },
  'the bit of an inode': {
    options: ['-O', '^metadata_csum'],
    damage: async (overlay, { volume, blockSize, inodeOf }) => {
      const index = (await inodeOf('/d/file')) - 1;
      const offset = volume.descriptor(0).inodeBitmap * blockSize + (index >> 3);
      await flip(overlay, offset, 1 << (index & 7));
    },
    found: /free, but has 2 links|which is free/,
  },
  'the link count of a directory': {
    options: [],
    damage: (overlay, anatomy) => spoilInode(overlay, anatomy, '/d', (inode) => (inode.links += 1)),
    found: /links: noted 4, counted 3/,
  },
  'the sectors of a file': {
    options: [],
    damage: (overlay, anatomy) => spoilInode(overlay, anatomy, '/d/file', (inode) => (inode.sectors += 8)),
    found: /sectors: noted/,
  },
  'the size of a directory': {
    options: [],
    damage: (overlay, anatomy) => spoilInode(overlay, anatomy, '/d', (inode) => (inode.sizeBytes += 4096)),
    found: /directory/,
  },
  'the extents of a file, which then claims the blocks of another': {
    options: [],
    damage: async (overlay, anatomy) => {
      const other = anatomy.volume.inode(await anatomy.inodeOf('/d/other')).block;
      await spoilInode(overlay, anatomy, '/d/file', (inode) => inode.block.set(other));
    },
    found: /both claim block/,
  },
  'a name of an indexed directory': {
    options: ['-O', '^metadata_csum'],
    damage: async (overlay, { volume, blockSize, inodeOf }) => {
      const { block } = volume.inode(await inodeOf('/crowd'));
      const first = Buffer.from(block).readUInt32LE(12 + 8);
      // The second block is a leaf. With other letters its names have other hashes, not all of which belong there.
      const leaf = (first + 1) * blockSize;
      for (const { offset } of parseDirectoryBlock(await overlay.read(leaf, blockSize))) {
        await flip(overlay, leaf + offset + 8 + 3, 0x04);
      }
    },
    found: /the index does not lead to/,
  },
  'a byte of an inode, under checksums': {
    options: [],
    damage: async (overlay, { volume, inodeOf }) =>
      flip(overlay, volume.inodeOffsetBytes(await inodeOf('/d/file')) + 0x68),
    found: /inode checksum/,
  },
  'the superblock': {
    options: [],
    damage: (overlay) => flip(overlay, 1024 + 0x78),
    found: /superblock checksum/,
  },
};

const PATHS = ['/', '/d', '/d/sub', '/d/file', '/d/other', '/crowd'];

async function written(overlay: OverlayBlockDevice): Promise<FilesystemWriter> {
  const filesystem = await openExt4Writable(overlay);
  await filesystem.mkdir('/d', metadata({ mode: 0o755 }));
  await filesystem.mkdir('/d/sub', metadata({ mode: 0o755 }));
  await filesystem.writeFile('/d/file', Buffer.alloc(50_000, 'f'), metadata());
  await filesystem.link('/d/file', '/d/again');
  await filesystem.writeFile('/d/other', Buffer.alloc(50_000, 'o'), metadata());
  await filesystem.mkdir('/crowd', metadata({ mode: 0o755 }));
  for (let n = 0; n < 200; n += 1) {
    await filesystem.symlink(`/crowd/some-longer-name-${n}`, 'x', metadata({ mode: 0o777 }));
  }
  return filesystem;
}

describe('check finds damage to', () => {
  it.each(Object.entries(damages))('%s', async (name, { options, damage, found }) => {
    const file = folder.image(name);
    await makeImage(file, 32, mkfsCommand(options));
    await using base = await FileBlockDevice.open(file);
    const overlay = new OverlayBlockDevice(base);
    const filesystem = await written(overlay);
    expect(await filesystem.check()).toEqual([]);

    const cache = new FaultingCache(overlay);
    const superblock = await readSuperblock(cache);
    await cache.prefetch([{ offsetBytes: 0, lengthBytes: superblock.blocksCount * superblock.blockSize }]);
    await damage(overlay, {
      volume: new VolumeReader(cache, superblock),
      blockSize: superblock.blockSize,
      inodeOf: async (path) => (await filesystem.lstat(path))!.inode,
    });
    const session = new WriteSession();
    session.touchedGroups.add(0);
    for (const path of PATHS) {
      session.touchedInodes.add((await filesystem.lstat(path))!.inode);
    }
    const problems = await checkVolume(new FaultingCache(overlay), superblock, session);
    expect(problems.join('\n')).toMatch(found);
  });
});

describe('a volume whose bytes are changed at random', () => {
  const KINDS = [
    { name: 'with checksums', options: [] },
    { name: 'without checksums', options: ['-O', '^metadata_csum', '-b', '1024'] },
    {
      name: 'with inline data and values in inodes',
      options: ['-O', '^metadata_csum,inline_data,ea_inode,large_dir', '-I', '512', '-b', '2048'],
    },
  ];
  it.each(KINDS)(
    '$name: operations work or throw a typed error, in bounded time',
    async ({ name, options }) => {
      const file = folder.image(`hostile ${name}`);
      await makeImage(file, 64, mkfsCommand(options));
      await onMountedImage(
        file,
        `${FILL_TREE.replace('"$MNT"', '"$MNT" 200')}; "$PYTHON" "$SUPPORT/apply-operations.py" "$MNT" /dev/null`,
      );
      await using base = await FileBlockDevice.open(file);
      let state = 12_345;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const thrown = new Map<string, number>();
      for (let round = 0; round < 25; round += 1) {
        const overlay = new OverlayBlockDevice(base);
        const cache = new FaultingCache(base);
        const superblock = await readSuperblock(cache);
        const volume = new VolumeReader(cache, superblock);
        await cache.prefetch([{ offsetBytes: 0, lengthBytes: 4_194_304 }]);
        const { inodeTable, blockBitmap } = volume.descriptor(0);
        // Descriptors, bitmaps, inodes in use, and blocks of directories and trees behind the tables.
        const places = [
          superblock.blockSize,
          blockBitmap * superblock.blockSize,
          inodeTable * superblock.blockSize,
        ];
        for (let n = 0; n < 60; n += 1) {
          const place = places[random(places.length)]!;
          const offset = place + random(n % 2 === 0 ? 2000 : 400_000);
          await overlay.write(Math.min(offset, 60_000_000), Uint8Array.of(random(256)));
        }
        try {
          const filesystem = await openExt4Writable(overlay);
          const mounts = [{ mountPoint: '/', kind: 'ext4', filesystem, writer: filesystem }];
          for (const operation of randomOperations(round, 60)) {
            const outcome = await performByEngine(new DirectEngine(), mounts, operation).catch(
              (error: unknown) => {
                if (!(error instanceof ImageElvesError)) {
                  throw error;
                }
                return error.name;
              },
            );
            thrown.set(outcome, (thrown.get(outcome) ?? 0) + 1);
          }
          await filesystem.check();
        } catch (error) {
          if (!(error instanceof ImageElvesError)) {
            throw error;
          }
          thrown.set(`opening: ${error.name}`, (thrown.get(`opening: ${error.name}`) ?? 0) + 1);
        }
      }
      expect([...thrown.keys()].join(' ')).toContain('CorruptFilesystemError');
    },
  );
});
