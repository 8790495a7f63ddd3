import { readFile } from 'node:fs/promises';
import { FaultingCache } from '../../../../core/block-device/faulting-cache';
import { MemoryBlockDevice } from '../../../../core/block-device/memory-block-device';
import { descriptorOffsetBytes } from '../../../../core/filesystem/ext4/descriptor-location';
import { directoryBlocks } from '../../../../core/filesystem/ext4/directory-entries';
import { fileExtents, fileMapBlocks } from '../../../../core/filesystem/ext4/file-extents';
import { openExt4, openVolume } from '../../../../core/filesystem/ext4/open-ext4';
import { VolumeReader } from '../../../../core/filesystem/ext4/volume-reader';
import type { FilesystemReader } from '../../../../core/filesystem/filesystem';
import { FILL_TREE, ImageFolder, makeImage, onMountedImage } from '../../../support/mounted-image';

jest.setTimeout(60_000);

/** Where in the image a structure of this file is, found through the undamaged image. */
type Locate = (volume: VolumeReader, inode: number) => number;

const firstDirectoryBlock: Locate = (volume, number) => {
  const inode = volume.inode(number);
  const [block] = directoryBlocks(volume, { number, inode, extents: fileExtents(volume, number, inode) });
  return block! * volume.superblock.blockSize;
};

const CASES: readonly (readonly [
  what: string,
  path: string,
  locate: Locate,
  within: number,
  read: (f: FilesystemReader, p: string) => Promise<unknown>,
])[] = [
  ['superblock', '/', () => 1024, 0x30, (f, p) => f.lstat(p)],
  [
    'group descriptor',
    '/',
    (volume) => descriptorOffsetBytes(volume.superblock, 0),
    0x10,
    (f, p) => f.lstat(p),
  ],
  ['inode', '/files/owned', (volume, inode) => volume.inodeOffsetBytes(inode), 0x10, (f, p) => f.lstat(p)],
  ['linear directory block', '/links', firstDirectoryBlock, 30, (f, p) => f.readdir(p)],
  ['root of a directory index', '/large', firstDirectoryBlock, 0x28, (f, p) => f.readdir(p)],
  [
    'extent block',
    '/sparse/comb',
    (volume, inode) => fileMapBlocks(volume, inode, volume.inode(inode))[0]! * volume.superblock.blockSize,
    20,
    (f, p) => f.readFile(p),
  ],
  [
    'attribute block',
    '/attributes/many',
    (volume, inode) => volume.inode(inode).xattrBlock * volume.superblock.blockSize,
    40,
    (f, p) => f.xattrs(p),
  ],
];

describe('one wrong bit', () => {
  let folder: ImageFolder;
  let image: Uint8Array;

  beforeAll(async () => {
    folder = await ImageFolder.make();
    const file = folder.image('image');
    await makeImage(file, 64, ['mkfs.ext4', '-q', '-F', '-b', '4096']);
    await onMountedImage(file, `${FILL_TREE} 1000`);
    image = new Uint8Array(await readFile(file));
  });
  afterAll(async () => folder[Symbol.asyncDispose]());

  it.each(CASES)('in a %s is reported and not read', async (_what, path, locate, within, read) => {
    const whole = await openExt4(MemoryBlockDevice.from(image));
    const { inode } = (await whole.lstat(path))!;
    await expect(read(whole, path)).resolves.toBeDefined();
    const cache = new FaultingCache(MemoryBlockDevice.from(image));
    const { superblock } = await openVolume(cache);
    const offset = (await cache.run(() => locate(new VolumeReader(cache, superblock), inode))) + within;

    const damaged = image.slice();
    damaged[offset] = damaged[offset]! ^ 0x10;

    const reading = openExt4(MemoryBlockDevice.from(damaged)).then((filesystem) => read(filesystem, path));
    await expect(reading).rejects.toMatchObject({ name: 'CorruptFilesystemError' });
  });
});
