import { DirectEngine } from '../../core/apply/direct-engine';
import { openExt4Writable } from '../../core/filesystem/ext4/write/open-ext4-writable';
import { e2fsck } from '../support/mounted-image';
import { mkfsCommand } from '../support/volume-matrix';
import { engineContract } from './engine-contract';

jest.setTimeout(120_000);

describe.each([
  ['as Debian 12 makes it', []],
  ['with blocks of 1 KiB and inodes of 128 bytes', ['-b', '1024', '-I', '128']],
])('the direct engine on ext4 %s', (_name, options) =>
  engineContract({
    engine: async () => new DirectEngine(),
    kind: 'ext4',
    mkfs: mkfsCommand(options),
    mount: async (device) => {
      const writer = await openExt4Writable(device);
      return { mountPoint: '/', kind: 'ext4', filesystem: writer, writer, device };
    },
    check: e2fsck,
  }),
);
