import type { BlockReader } from '../../core/block-device/block-device';
import type { FilesystemReader } from '../../core/filesystem/filesystem';
import type { KernelReading } from '../../core/filesystem/linux-kernel';
import { kernelForTests } from '../support/kernel-engine';
import { LIST_TREE, onMountedImage } from '../support/mounted-image';
import { parseKernelListing } from '../support/tree-listing';
import { readerContract, type Volume } from './reader-contract';

const btrfs = (name: string, ...options: string[]): Volume => ({
  name,
  mkfs: ['mkfs.btrfs', '-q', '-f', '-L', 'a label', ...options],
  sizeMiB: 160,
  filledWith: 0,
});

/** Mounted for reading, btrfs keeps nothing of its free space back. */
const READING = { mountOptions: 'loop,ro' };

/** Inode numbers are unique within a subvolume only: the reader puts the number of that, here the top level, before them. */
function ofTopLevel(listing: string): string {
  return listing.replaceAll(/"inode": (\d+)/g, (_, inode) => `"inode": ${5 * 2 ** 32 + Number(inode)}`);
}

const readings = new Map<FilesystemReader, KernelReading>();

jest.setTimeout(240_000);

describe('btrfs, read through the emulated machine, shows what the kernel of this machine shows, on a volume', () =>
  readerContract(
    {
      kind: 'btrfs',
      open: async (device: BlockReader) => {
        const reading = await (await kernelForTests()).read([{ kind: 'btrfs', device }]);
        const filesystem = reading.filesystems[0]!;
        readings.set(filesystem, reading);
        return filesystem;
      },
      judge: async (file) => parseKernelListing(ofTopLevel(await onMountedImage(file, LIST_TREE, READING))),
      close: async (filesystem) => readings.get(filesystem)?.close(),
    },
    [btrfs('as Debian 12 makes it'), btrfs('data and metadata in the same blocks', '--mixed')],
  ));
