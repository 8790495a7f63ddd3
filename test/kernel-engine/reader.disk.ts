import type { BlockReader } from '../../core/block-device/block-device';
import type { FilesystemReader } from '../../core/filesystem/filesystem';
import type { KernelReading } from '../../core/filesystem/linux-kernel';
import { readerContract, type ReaderUnderTest } from '../contract/reader-contract';
import { kernelForTests } from '../support/kernel-engine';

jest.setTimeout(180_000);

const readings = new Map<FilesystemReader, KernelReading>();

/** The reader that a filesystem is read by in an emulated machine, as a reader like any other. */
function kernelReader(kind: string): ReaderUnderTest {
  return {
    kind,
    open: async (device: BlockReader) => {
      const reading = await (await kernelForTests()).read([{ kind, device }]);
      const [filesystem] = reading.filesystems;
      readings.set(filesystem!, reading);
      return filesystem!;
    },
    close: async (filesystem) => readings.get(filesystem)?.close(),
  };
}

describe('the emulated machine shows what the kernel of this machine shows, on a volume', () => {
  readerContract(kernelReader('xfs'), [
    {
      name: 'XFS',
      mkfs: ['mkfs.xfs', '-q', '-f', '-K', '--unsupported', '-L', 'a label'],
      // Mounted for reading, XFS keeps nothing of its free space back.
      afterwards: ['true'],
      judgedAs: 'loop,ro',
    },
  ]);
  readerContract(kernelReader('ext4'), [
    { name: 'ext4', mkfs: ['mkfs.ext4', '-q', '-F', '-E', 'nodiscard', '-L', 'a label'] },
  ]);
});
