import { execFile } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { FaultingCache } from '../../../../core/block-device/faulting-cache';
import { fileExtents } from '../../../../core/filesystem/ext4/file-extents';
import { parseJournalSuperblock } from '../../../../core/filesystem/ext4/journal';
import { JournalLog } from '../../../../core/filesystem/ext4/journal-log';
import { scanJournal, type JournalScan } from '../../../../core/filesystem/ext4/journal-scan';
import { openExt4, openVolume, readSuperblock } from '../../../../core/filesystem/ext4/open-ext4';
import { findOrphans } from '../../../../core/filesystem/ext4/orphans';
import { VolumeReader } from '../../../../core/filesystem/ext4/volume-reader';
import { FileBlockDevice } from '../../../support/file-block-device';
import { e2fsck, ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../../support/mounted-image';
import {
  listingDifferences,
  parseKernelListing,
  readerListing,
  type TreeListing,
} from '../../../support/tree-listing';

jest.setTimeout(60_000);
const run = promisify(execFile);

const ANNOUNCED_ORPHANS = /Feature orphan_present is set but orphan file is clean\.\s+Clear\? no/;

let folder: ImageFolder;
beforeAll(async () => {
  folder = await ImageFolder.make();
});
afterAll(async () => folder[Symbol.asyncDispose]());

/** An image as its disk was while it was mounted and written: what a snapshot of a running machine holds. */
async function dirtyImage(
  name: string,
  mkfs: readonly string[],
  work: string,
  { mountOptions = 'loop', afterwards = '' } = {},
): Promise<string> {
  const live = folder.image(`${name}-live`);
  const dirty = folder.image(name);
  await makeImage(live, 64, mkfs);
  await onMountedImage(live, `${work}\ncp "$IMAGE" "$DIRTY"\n${afterwards}`, {
    mountOptions,
    environment: { DIRTY: dirty },
  });
  return dirty;
}

const work = (rounds: number): string => `"$PYTHON" "$SUPPORT/dirty-journal.py" "$MNT" ${rounds}`;

/** What the kernel shows of a copy, after its own recovery. */
async function afterKernelRecovery(dirty: string): Promise<TreeListing> {
  await copyFile(dirty, `${dirty}.kernel`);
  return parseKernelListing(await onMountedImage(`${dirty}.kernel`, LIST_TREE));
}

async function ourListing(file: string): Promise<TreeListing> {
  await using device = await FileBlockDevice.open(file);
  return await readerListing(await openExt4(device));
}

/** Recovers into the file itself, as the writer does into its overlay. */
async function recoverInto(file: string): Promise<number> {
  await using device = await FileBlockDevice.open(file, 'r+');
  const { recovered } = await openVolume(new FaultingCache(device));
  return recovered?.transactions ?? 0;
}

async function scanOf(file: string): Promise<JournalScan> {
  await using device = await FileBlockDevice.open(file);
  const cache = new FaultingCache(device);
  const superblock = await readSuperblock(cache);
  const volume = new VolumeReader(cache, superblock);
  const { journalInode, blockSize } = superblock;
  const extents = await cache.run(() => fileExtents(volume, journalInode, volume.inode(journalInode)));
  const journal = parseJournalSuperblock(await device.read(extents[0]!.physicalBlock * blockSize, 1024));
  return await scanJournal(new JournalLog(cache, extents, journal), journal);
}

const wraps = ({ replay }: JournalScan): boolean =>
  [...replay.values()].some((a) =>
    [...replay.values()].some((b) => a.sequence < b.sequence && a.logBlock > b.logBlock),
  );

describe('a journal that needs recovery', () => {
  it.each([
    ['default', '-b 4096', 'loop'],
    ['1 KiB blocks', '-b 1024', 'loop'],
    ['32-bit', '-b 4096 -O ^64bit', 'loop'],
    ['no checksums', '-b 4096 -O ^metadata_csum', 'loop'],
    ['journal with checksums only', '-b 4096 -O ^metadata_csum', 'loop,journal_checksum'],
    ['all data in the journal', '-b 1024', 'loop,data=journal'],
    ['orphan file', '-b 4096 -O orphan_file,metadata_csum_seed', 'loop'],
    ['ext3', '-b 4096 -O ^extent,^64bit,^metadata_csum,^flex_bg', 'loop'],
    ['idle fast commits', '-b 4096 -O fast_commit', 'loop'],
  ])('is replayed as the kernel does: %s', async (name, options, mountOptions) => {
    const dirty = await dirtyImage(name, ['mkfs.ext4', '-q', '-F', ...options.split(' ')], work(5), {
      mountOptions,
    });
    const kernel = await afterKernelRecovery(dirty);

    expect(listingDifferences(kernel, await ourListing(dirty))).toEqual([]);
    expect(await recoverInto(dirty)).toBeGreaterThan(3);
    // Orphans are the writer's to process; an empty orphan file that is still announced is all that may be left.
    expect((await e2fsck(dirty)).replace(ANNOUNCED_ORPHANS, '')).not.toMatch(/\? no/);
    expect(listingDifferences(kernel, await ourListing(dirty))).toEqual([]);
  });

  it('that runs around the end of its ring', async () => {
    for (let rounds = 8; rounds < 30; rounds += 2) {
      const dirty = await dirtyImage(
        'ring',
        ['mkfs.ext4', '-q', '-F', '-b', '1024', '-J', 'size=1'],
        work(rounds),
      );
      if (!wraps(await scanOf(dirty))) continue;
      const kernel = await afterKernelRecovery(dirty);
      expect(listingDifferences(kernel, await ourListing(dirty))).toEqual([]);
      return;
    }
    throw new Error('the workload never made the log wrap');
  });

  it('whose last transaction was never finished: that one did not happen', async () => {
    const dirty = await dirtyImage('unfinished', ['mkfs.ext4', '-q', '-F', '-b', '4096'], work(4));
    const whole = await ourListing(dirty);
    const before = await scanOf(dirty);
    await eraseCommitBlock(dirty, (before.nextSequence - 1) >>> 0);
    const kernel = await afterKernelRecovery(dirty);

    const after = await scanOf(dirty);
    expect(after.transactions).toBe(before.transactions - 1);
    expect(listingDifferences(kernel, await ourListing(dirty))).toEqual([]);
    expect(listingDifferences(whole, kernel)).not.toEqual([]);
  });

  it.each(['2', '3'])('with checksums of version %s, written by debugfs', async (version) => {
    const file = folder.image(`debugfs-${version}`);
    await makeImage(file, 32, ['mkfs.ext4', '-q', '-F', '-b', '1024', '-O', '64bit']);
    const content = `${folder.path}/content`;
    await writeFile(content, Buffer.alloc(8 * 1024, 'journalled'));
    const commands = `${folder.path}/commands`;
    const lines = [
      `journal_open -c -v ${version}`,
      `journal_write -b 9000,9001,9002,9003,9004,9005,9006,9007 ${content}`,
      'journal_write -r 9002,9005',
      `journal_write -b 9001,9011 ${content}`,
      `journal_write -c -b 9020,9021 ${content}`,
      'journal_close',
    ];
    await writeFile(commands, `${lines.join('\n')}\n`);
    await run('debugfs', ['-w', '-f', commands, file]);
    await copyFile(file, `${file}.kernel`);
    await onMountedImage(`${file}.kernel`, ':');

    await recoverInto(file);

    for (const block of [9000, 9001, 9002, 9005, 9007, 9011, 9020]) {
      expect([block, await firstBytes(file, block)]).toEqual([
        block,
        await firstBytes(`${file}.kernel`, block),
      ]);
    }
    expect(await firstBytes(file, 9000)).toBe('journalled');
    expect(await firstBytes(file, 9002)).not.toBe('journalled');
  });

  it('with pending fast commits is left to the kernel', async () => {
    const commits =
      'echo a > $MNT/a; sync -f $MNT; echo b >> $MNT/a; sync $MNT/a; echo c >> $MNT/a; sync $MNT/a';
    const dirty = await dirtyImage('fast-commit', ['mkfs.ext4', '-q', '-F', '-O', 'fast_commit'], commits);

    await using device = await FileBlockDevice.open(dirty);
    await expect(openExt4(device)).rejects.toMatchObject({ name: 'RecoveryNeededError', kind: 'ext4' });
  });

  it('of the option journal_async_commit is left to the kernel, unless each of its blocks has a checksum', async () => {
    const mountOptions = 'loop,data=writeback,journal_checksum,journal_async_commit';
    const without = ['mkfs.ext4', '-q', '-F', '-O', '^metadata_csum'];
    await using unsafe = await FileBlockDevice.open(
      await dirtyImage('async', without, work(3), { mountOptions }),
    );
    await expect(openExt4(unsafe)).rejects.toMatchObject({ name: 'RecoveryNeededError', kind: 'ext4' });
    const safe = await dirtyImage('async-safe', ['mkfs.ext4', '-q', '-F'], work(3), { mountOptions });
    expect(listingDifferences(await afterKernelRecovery(safe), await ourListing(safe))).toEqual([]);
  });

  it('with a block that does not match its checksum is reported, not replayed', async () => {
    const dirty = await dirtyImage('damaged', ['mkfs.ext4', '-q', '-F', '-b', '4096'], work(3));
    const { replay } = await scanOf(dirty);
    await damageLogBlock(dirty, [...replay.values()][0]!.logBlock);

    await using device = await FileBlockDevice.open(dirty);
    await expect(openExt4(device)).rejects.toMatchObject({ name: 'CorruptFilesystemError' });
  });
});

describe('files deleted while they were open', () => {
  it.each([
    ['in the orphan file', 'orphan_file'],
    ['in the orphan list', '^orphan_file'],
  ])('are on no path and are found %s', async (name, feature) => {
    const script = `
      for name in one two three; do head -c 100000 /dev/zero > "$MNT/$name"; done
      ls -i "$MNT" > "$MNT/numbers"
      exec 7< "$MNT/one" 8< "$MNT/two"
      rm "$MNT/one" "$MNT/two"
      sync -f "$MNT"`;
    const dirty = await dirtyImage(name, ['mkfs.ext4', '-q', '-F', '-O', feature], script, {
      afterwards: 'exec 7<&- 8<&-',
    });
    const kernel = await afterKernelRecovery(dirty);
    const ours = await ourListing(dirty);

    await using device = await FileBlockDevice.open(dirty, 'r+');
    const cache = new FaultingCache(device);
    const { superblock } = await openVolume(cache);
    const { chain, slots } = await cache.run(() => findOrphans(new VolumeReader(cache, superblock)));
    const numbers = Buffer.from(await (await openExt4(device)).readFile('/numbers')).toString();
    const expected = ['one', 'two'].map((file) => Number(new RegExp(`(\\d+) ${file}\\n`).exec(numbers)![1]));

    expect([...chain, ...slots.map(({ inode }) => inode)].sort()).toEqual(expected.sort());
    expect([...ours.keys()].sort()).toEqual([...kernel.keys()].sort());
    expect(ours.has('/one')).toBe(false);
  });
});

async function firstBytes(file: string, block: number): Promise<string> {
  await using device = await FileBlockDevice.open(file);
  return Buffer.from(await device.read(block * 1024, 10)).toString('latin1');
}

/** Zeros the commit block of one transaction, as if the machine had stopped before it was written. */
async function eraseCommitBlock(file: string, sequence: number): Promise<void> {
  const { stdout } = await run('debugfs', ['-R', 'logdump -a', file], { maxBuffer: 1 << 28 });
  const found = new RegExp(`sequence ${sequence}, type 2 \\(commit block\\) at block (\\d+)`).exec(stdout);
  const logBlock = Number(found![1]);
  await overwriteLogBlock(file, logBlock, (bytes) => bytes.fill(0));
}

async function damageLogBlock(file: string, logBlock: number): Promise<void> {
  await overwriteLogBlock(file, logBlock, (bytes) => {
    bytes[100] = bytes[100]! ^ 0xff;
  });
}

async function overwriteLogBlock(
  file: string,
  logBlock: number,
  change: (bytes: Uint8Array) => void,
): Promise<void> {
  await using device = await FileBlockDevice.open(file, 'r+');
  const cache = new FaultingCache(device);
  const superblock = await readSuperblock(cache);
  const volume = new VolumeReader(cache, superblock);
  const { journalInode, blockSize } = superblock;
  const extents = await cache.run(() => fileExtents(volume, journalInode, volume.inode(journalInode)));
  const extent = extents.find(
    (run) => run.logicalBlock <= logBlock && logBlock < run.logicalBlock + run.blocks,
  )!;
  const offset = (extent.physicalBlock + logBlock - extent.logicalBlock) * blockSize;
  const bytes = (await device.read(offset, blockSize)).slice();
  change(bytes);
  await device.write(offset, bytes);
}
