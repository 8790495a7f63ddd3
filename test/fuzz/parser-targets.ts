import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryBlockDevice } from '../../core/block-device/memory-block-device';
import { parseFstab } from '../../core/image/fstab';
import { findSource } from '../../core/image/mount-source';
import { parseVolumeGroup } from '../../core/lvm/volume-group';
import { unpackLz4 } from '../../core/records/lz4-frame';
import { codecFor } from '../../core/records/registry';
import { GROUP_OF_KINDS } from '../support/lvm-kinds';
import { UUIDS } from '../support/volume-group';
import type { Target } from './target';
import { parserTarget } from './text-target';

const FIXTURES = join(__dirname, '../fixtures/records');
const DEBIAN = join(FIXTURES, 'debian-12');

/** Record files as a Debian machine has them. */
const RECORD_FILES = [
  '/etc/passwd',
  '/etc/group',
  '/etc/shadow',
  '/etc/gshadow',
  '/etc/subgid',
  '/etc/shells',
  '/etc/ld.so.cache',
  '/var/lib/dpkg/status',
  '/var/lib/dpkg/diversions',
  '/var/lib/apt/extended_states',
  '/var/cache/debconf/config.dat',
];

/** What was read must come out again byte for byte when nothing is changed. */
function recordTarget(path: string): Target {
  const codec = codecFor(path)!;
  const samples = async (): Promise<Uint8Array[]> => {
    const bytes = await readFile(join(DEBIAN, path));
    // Of long tables the beginning is as good as the whole, and as many times faster.
    return [path.endsWith('ld.so.cache') ? bytes : bytes.subarray(0, 6000)];
  };
  return parserTarget(path, samples, (bytes) => {
    const file = codec.parse(bytes);
    if (Buffer.compare(file.merge(new Map()), bytes) !== 0)
      throw new Error(`${path} does not come out as it was`);
  });
}

const device = new MemoryBlockDevice(96 * 1024 * 1024);
const present = new Map(UUIDS.map((uuid) => [uuid, { uuid, device }]));
const FSTAB = Buffer.from(
  'UUID=0f0e / ext4 defaults,errors=remount-ro 0 1\n# /boot\nLABEL="my\\040boot" /boot xfs\n/dev/nvme0n1p2 none swap sw\n/dev/disk/by-label/a\\x20b /x btrfs subvol=@x,nofail 0 0\n',
);
const SOURCE = {
  volumeId: 'vol',
  volumeIds: ['vol'],
  deviceName: '/dev/xvda',
  onRootVolume: true,
  partition: 1,
  partUuid: 'aa',
  partLabel: 'b',
  kind: 'ext4',
  uuid: '0f0e',
  label: 'my boot',
  device,
};

export const PARSER_TARGETS: readonly Target[] = [
  ...RECORD_FILES.map(recordTarget),
  parserTarget(
    'lz4',
    async () => [await readFile(join(FIXTURES, 'list.lz4'))],
    (bytes) => void unpackLz4(bytes, 1024 * 1024),
  ),
  parserTarget(
    'LVM metadata',
    async () => [Buffer.from(GROUP_OF_KINDS)],
    (bytes) => {
      const { logicalVolumes } = parseVolumeGroup(Buffer.from(bytes).toString('latin1'), present);
      for (const { device: mapped } of logicalVolumes)
        if (mapped !== undefined && mapped.sizeBytes > device.sizeBytes)
          throw new Error('a volume larger than its disk');
    },
  ),
  parserTarget(
    'fstab',
    async () => [FSTAB],
    (bytes) => {
      for (const entry of parseFstab(Buffer.from(bytes).toString())) findSource(entry, [SOURCE]);
    },
  ),
];
