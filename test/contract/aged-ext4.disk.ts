import { DirectEngine } from '../../core/apply/direct-engine';
import { openExt4 } from '../../core/filesystem/ext4/open-ext4';
import { FileBlockDevice } from '../support/file-block-device';
import { e2fsck } from '../support/mounted-image';
import { readerListing } from '../support/tree-listing';
import { changeImage } from '../support/writable-image';
import { AGED_TIMEOUT_MS, agedContract } from './aged-contract';
import { sequence } from './operations';

jest.setTimeout(AGED_TIMEOUT_MS);

describe('ext4', () =>
  agedContract({
    mkfs: ['mkfs.ext4', '-q', '-F', '-m', '0', '-J', 'size=4', '-b', '4096'],
    sizeMiB: 96,
    cut: {
      'as Debian 12 makes it': [],
      'blocks of 1 KiB, orphan_file, no flex_bg': ['-b', '1024', '-O', '^flex_bg,orphan_file'],
    },
    read: async (file) => {
      await using device = await FileBlockDevice.open(file);
      return await readerListing(await openExt4(device));
    },
    patch: async (file, operations) => {
      await changeImage(file, async (writer) => {
        const mounts = [{ mountPoint: '/', kind: 'ext4', filesystem: writer, writer }];
        await new DirectEngine().perform(mounts, sequence(operations));
      });
    },
    check: e2fsck,
  }));
