import { MemoryBlockDevice } from '../../../core/block-device/memory-block-device';
import type { KernelFilesystem, LinuxKernel } from '../../../core/filesystem/linux-kernel';
import { openImage, openWritableImage } from '../../../core/image/open-image';
import type { MemoryFilesystem } from '../../support/memory-filesystem';
import { filesystemWith } from '../../support/memory-volumes';

interface Superblock {
  readonly devices?: number;
  readonly hasLog?: boolean;
  readonly hasDefaultSubvolume?: boolean;
}

const SIZE_BYTES = 1024 * 1024;

/** A device with the superblock of a btrfs and nothing else: what is in it only the kernel knows. */
async function btrfs({
  devices = 1,
  hasLog,
  hasDefaultSubvolume,
}: Superblock = {}): Promise<MemoryBlockDevice> {
  const device = new MemoryBlockDevice(SIZE_BYTES);
  const superblock = Buffer.alloc(4096);
  superblock.fill(0x11, 0x20, 0x30);
  superblock.write('_BHRfS_M', 0x40);
  superblock.writeBigUInt64LE(hasLog === true ? 4096n : 0n, 0x60);
  superblock.writeBigUInt64LE(BigInt(devices), 0x88);
  superblock.writeBigUInt64LE(hasDefaultSubvolume === true ? 2n : 0n, 0xbc);
  await device.write(0x10000, superblock);
  return device;
}

/** A kernel that finds these files on every device, and notes what it was asked for. */
function kernelWith(content: MemoryFilesystem): LinuxKernel & { asked: string[] } {
  const asked: string[] = [];
  const kinds = (filesystems: readonly KernelFilesystem[]): string =>
    filesystems.map(({ kind }) => kind).join(' ');
  return {
    asked,
    async recover(filesystems) {
      asked.push(`recover ${kinds(filesystems)}`);
      for (const { device } of filesystems) await device.write(0x10060, new Uint8Array(8));
    },
    async read(filesystems) {
      asked.push(`read ${kinds(filesystems)}`);
      return {
        filesystems: filesystems.map(() => content),
        async close() {
          asked.push('close');
        },
      };
    },
    async perform() {
      throw new Error('not asked for here');
    },
    async verify() {
      return [];
    },
  };
}

const volume = (device: MemoryBlockDevice) => ({
  volumeId: 'vol-1',
  deviceName: '/dev/xvda',
  isRoot: true,
  device,
});

const FSTAB = [
  'UUID=11111111-1111-1111-1111-111111111111 / btrfs subvol=@,noatime 0 0',
  'UUID=11111111-1111-1111-1111-111111111111 /home btrfs subvol=/@home 0 0',
  'UUID=11111111-1111-1111-1111-111111111111 /top btrfs subvolid=5 0 0',
].join('\n');

const machine = (fstab = FSTAB) =>
  filesystemWith({
    '/@/etc/fstab': fstab,
    '/@/home/hidden': 'x',
    '/@home/ada/notes': 'notes',
    '/@before-upgrade/etc/fstab': fstab,
  });

describe('a machine on btrfs', () => {
  it('is read through one machine, its subvolumes where fstab mounts them', async () => {
    const kernel = kernelWith(await machine());
    const image = await openImage([volume(await btrfs())], { kernel });
    expect(kernel.asked).toEqual(['read btrfs']);
    expect(image.mounts.map(({ mountPoint }) => mountPoint)).toEqual(['/', '/top', '/home']);
    expect(Buffer.from(await image.readFile('/home/ada/notes')).toString()).toBe('notes');
    expect(Buffer.from(await image.readFile('/top/@home/ada/notes')).toString()).toBe('notes');
    expect(await image.lstat('/home/hidden')).toBeUndefined();
    const paths: string[] = [];
    for await (const { path } of image.scan()) paths.push(path);
    expect(paths).toContain('/home/ada/notes');
    expect(paths).toContain('/etc/fstab');
    expect(paths).not.toContain('/@home');
    await image.close();
    await image.close();
    expect(kernel.asked).toEqual(['read btrfs', 'close']);
  });

  it('has a log replayed over its device, not in it', async () => {
    const device = await btrfs({ hasLog: true });
    const kernel = kernelWith(await machine());
    await openImage([volume(device)], { kernel });
    expect(kernel.asked).toEqual(['recover btrfs', 'read btrfs']);
    expect((await device.read(0x10060, 8)).some((byte) => byte !== 0)).toBe(true);
  });

  it('is changed by the kernel alone, a log first replayed in the device', async () => {
    const device = await btrfs({ hasLog: true });
    const kernel = kernelWith(await machine());
    const image = await openWritableImage([volume(device)], { kernel });
    expect((await device.read(0x10060, 8)).every((byte) => byte === 0)).toBe(true);
    const facts = image.writableMounts.map(({ mountPoint, kind, subvolume, writer, refusal, device }) => [
      mountPoint,
      kind,
      subvolume,
      writer,
      refusal?.name,
      device === image.writableMounts[0]!.device,
    ]);
    expect(facts).toEqual([
      ['/', 'btrfs', '@', undefined, 'UnsupportedFeatureError', true],
      ['/top', 'btrfs', undefined, undefined, 'UnsupportedFeatureError', true],
      ['/home', 'btrfs', '@home', undefined, 'UnsupportedFeatureError', true],
    ]);
    const again = await image.reopen();
    expect(kernel.asked).toEqual(['recover btrfs', 'read btrfs', 'close', 'read btrfs']);
    await again.close();
  });

  it('may have its root at the top level', async () => {
    const kernel = kernelWith(await filesystemWith({ '/etc/fstab': '', '/@home/etc/fstab': '' }));
    const image = await openWritableImage([volume(await btrfs())], { kernel });
    expect(image.writableMounts.map(({ subvolume }) => subvolume)).toEqual([undefined]);
  });

  it.each([
    ['btrfs on 2 devices', { devices: 2 }, FSTAB],
    [
      'btrfs subvolid=257 without subvol=',
      {},
      `UUID=11111111-1111-1111-1111-111111111111 /x btrfs subvolid=257`,
    ],
    ['btrfs default subvolume', { hasDefaultSubvolume: true }, `/dev/xvda /x btrfs defaults`],
  ])('with what cannot be told is refused: %s', async (feature, superblock, fstab) => {
    const kernel = kernelWith(await machine(fstab));
    await expect(openImage([volume(await btrfs(superblock))], { kernel })).rejects.toMatchObject({
      name: 'UnsupportedFeatureError',
      features: [expect.stringContaining(feature)],
    });
    expect(kernel.asked.filter((what) => what === 'close')).toHaveLength(
      kernel.asked.filter((what) => what.startsWith('read')).length,
    );
  });

  it('is refused by name where there is no kernel', async () => {
    await expect(openImage([volume(await btrfs())])).rejects.toMatchObject({
      name: 'UnsupportedFilesystemError',
      kind: 'btrfs',
    });
  });
});
