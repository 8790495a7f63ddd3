import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KernelEngine } from '../../core/apply/kernel-engine';
import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { RecoveryNeededError } from '../../core/filesystem/errors';
import type { FilesystemReader } from '../../core/filesystem/filesystem';
import { openXfs } from '../../core/filesystem/xfs/open-xfs';
import { FileBlockDevice } from '../support/file-block-device';
import { flushOverlay } from '../support/flush-overlay';
import { kernelForTests } from '../support/kernel-engine';
import { readerListing } from '../support/tree-listing';
import { AGED_TIMEOUT_MS, agedContract } from './aged-contract';
import { MemoryFilesystem } from '../support/memory-filesystem';
import { sequence } from './operations';

const run = promisify(execFile);
jest.setTimeout(AGED_TIMEOUT_MS);

/** A dirty log is replayed by the emulated machine, in the overlay. */
async function openRecovered(device: OverlayBlockDevice): Promise<FilesystemReader> {
  try {
    return await openXfs(device);
  } catch (error) {
    if (!(error instanceof RecoveryNeededError)) throw error;
    await (await kernelForTests()).recover([{ kind: 'xfs', device }]);
    return openXfs(device);
  }
}

describe('XFS', () =>
  agedContract({
    mkfs: ['mkfs.xfs', '-q', '-f', '--unsupported'],
    sizeMiB: 128,
    cut: { 'as Debian 12 makes it': [], 'blocks of 1 KiB, rmapbt': ['-b', 'size=1024', '-m', 'rmapbt=1'] },
    read: async (file) => {
      await using device = await FileBlockDevice.open(file);
      return await readerListing(await openRecovered(new OverlayBlockDevice(device)));
    },
    patch: async (file, operations) => {
      await using base = await FileBlockDevice.open(file);
      const device = new OverlayBlockDevice(base);
      // The kernel engine never asks the filesystem.
      const mount = { mountPoint: '/', kind: 'xfs', filesystem: new MemoryFilesystem(), device };
      await new KernelEngine(await kernelForTests()).perform([mount], sequence(operations));
      await flushOverlay(device, file);
    },
    check: (file) =>
      run('xfs_repair', ['-n', '-f', file]).then(
        () => '',
        (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
      ),
  }));
