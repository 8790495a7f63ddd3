import { readFile } from 'node:fs/promises';
import { FaultingCache } from '../../../../core/block-device/faulting-cache';
import { MemoryBlockDevice } from '../../../../core/block-device/memory-block-device';
import { ImageElvesError } from '../../../../core/errors';
import { descriptorRanges } from '../../../../core/filesystem/ext4/descriptor-location';
import { fileExtents, fileMapBlocks } from '../../../../core/filesystem/ext4/file-extents';
import { openExt4, openVolume } from '../../../../core/filesystem/ext4/open-ext4';
import { VolumeReader } from '../../../../core/filesystem/ext4/volume-reader';
import { ImageFolder, makeImage, onMountedImage } from '../../../support/mounted-image';
import { readEverything } from '../../../support/read-everything';

jest.setTimeout(120_000);

const ROUNDS = 60;
/** Far more than any of these takes; a loop without end would pass it. */
const PATIENCE_MS = 10_000;
const SIZE_MIB = 8;

const FILL = `
  "$PYTHON" - "$MNT" <<'PYTHON'
import os, sys
root = sys.argv[1]
os.makedirs(root + '/a/b/c')
for number in range(300):
    with open(f'{root}/a/file-{number}', 'wb') as file:
        file.write(b'x' * (number * 37))
with open(root + '/comb', 'wb') as file:
    for block in range(300):
        file.seek(block * 2048)
        file.write(b'%d' % block)
os.symlink('t' * 200, root + '/a/long')
os.symlink('short', root + '/a/short')
for number in range(10):
    os.setxattr(f'{root}/a/file-{number}', 'user.large', b'v' * 300)
for length in (3000, 20000):
    try:
        os.setxattr(f'{root}/a/file-0', f'user.huge-{length}', b'v' * length)
    except OSError:
        break  # Only ea_inode has room for it.
os.mknod(root + '/a/null', 0o20600, os.makedev(1, 3))
os.fsync(os.open(root, os.O_RDONLY))
PYTHON
`;

/** xorshift32: the same images every time. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Everywhere that the filesystem keeps numbers which lead somewhere else. */
async function metadataBlocks(image: Uint8Array): Promise<number[]> {
  const cache = new FaultingCache(MemoryBlockDevice.from(image));
  const { superblock } = await openVolume(cache);
  const volume = new VolumeReader(cache, superblock);
  const { blockSize } = superblock;
  const blocks = new Set<number>([Math.floor(1024 / blockSize)]);
  for (const { offsetBytes } of descriptorRanges(superblock)) blocks.add(offsetBytes / blockSize);
  return cache.run(() => {
    for (let group = 0; group < superblock.groupCount; group++) {
      for (let index = 0; index < volume.usedInodes(group); index++) {
        const number = group * superblock.inodesPerGroup + index + 1;
        const inode = volume.inode(number);
        if (inode.links === 0) continue;
        blocks.add(Math.floor(volume.inodeOffsetBytes(number) / blockSize));
        if (inode.xattrBlock !== 0) blocks.add(inode.xattrBlock);
        const type = inode.mode >> 12;
        if (type !== 4 && type !== 8) continue;
        for (const block of fileMapBlocks(volume, number, inode)) blocks.add(block);
        // The journal's own blocks are its metadata; so are a directory's.
        const isMetadata = type === 4 || number === superblock.journalInode;
        if (!isMetadata) continue;
        for (const { physicalBlock, blocks: length } of fileExtents(volume, number, inode)) {
          for (let block = physicalBlock; block < physicalBlock + Math.min(length, 64); block++)
            blocks.add(block);
        }
      }
    }
    return [...blocks];
  });
}

const EVIL_WORDS = [0, 1, 2, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

function damage(
  image: Uint8Array,
  blocks: readonly number[],
  blockSize: number,
  random: (below: number) => number,
): void {
  for (let wounds = 1 + random(12); wounds > 0; wounds--) {
    const at = blocks[random(blocks.length)]! * blockSize + random(blockSize / 4) * 4;
    const view = new DataView(image.buffer, image.byteOffset);
    const kind = random(4);
    if (kind === 0) image[at + random(4)] = random(256);
    else if (kind === 1) view.setUint32(at, EVIL_WORDS[random(EVIL_WORDS.length)]!, true);
    else if (kind === 2) view.setUint32(at, random(SIZE_MIB * 1024), true);
    else view.setUint16(at + random(2) * 2, EVIL_WORDS[random(6)]!, true);
  }
}

describe('a hostile image', () => {
  it.each([
    ['extents', ['mkfs.ext4', '-b', '1024', '-O', '^metadata_csum'], false],
    ['block maps', ['mkfs.ext3', '-b', '1024'], false],
    ['groups with checksums', ['mkfs.ext4', '-b', '2048', '-O', '^metadata_csum,uninit_bg'], false],
    [
      'inline data',
      ['mkfs.ext4', '-b', '1024', '-I', '512', '-O', '^metadata_csum,inline_data,ea_inode'],
      false,
    ],
    ['a journal to replay', ['mkfs.ext4', '-b', '1024', '-O', '^metadata_csum'], true],
  ] as const)(
    'gets a typed error or an answer, and never a hang: %s',
    async (name, [command, ...options], isDirty) => {
      await using folder = await ImageFolder.make();
      const [live, copy] = [folder.image('live'), folder.image('copy')];
      await makeImage(live, SIZE_MIB, [command, '-q', '-F', ...options]);
      await onMountedImage(live, `${FILL}\ncp "$IMAGE" "$COPY"`, { environment: { COPY: copy } });
      const image = new Uint8Array(await readFile(isDirty ? copy : live));
      const blocks = await metadataBlocks(image);
      const blockSize = 1024 << image[0x418]!;
      const random = randomNumbers(name.length + 1);
      const outcomes = { read: 0, refused: 0 };

      for (let round = 0; round < ROUNDS; round++) {
        const damaged = image.slice();
        damage(damaged, blocks, blockSize, random);
        const start = Date.now();
        try {
          const refused = await readEverything(await openExt4(MemoryBlockDevice.from(damaged)));
          outcomes.read++;
          if (refused > 0) outcomes.refused++;
        } catch (error) {
          if (!(error instanceof ImageElvesError)) throw error;
          outcomes.refused++;
        }
        expect(Date.now() - start).toBeLessThan(PATIENCE_MS);
      }

      // Both must happen, or the damage was too much or too little to say anything.
      expect(outcomes.read).toBeGreaterThan(ROUNDS / 20);
      expect(outcomes.refused).toBeGreaterThan(ROUNDS / 20);
    },
  );
});
