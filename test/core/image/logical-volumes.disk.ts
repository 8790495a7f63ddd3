import { copyFile, writeFile } from 'node:fs/promises';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';
import { UnsupportedFeatureError } from '../../../core/filesystem/errors';
import type { ImageVolume } from '../../../core/image/image';
import { listFilesystems } from '../../../core/image/list-filesystems';
import { openImage, openWritableImage } from '../../../core/image/open-image';
import { GROUP_OF_KINDS, REFUSED_KINDS } from '../../support/lvm-kinds';
import { FileBlockDevice } from '../../support/file-block-device';
import { flushOverlay } from '../../support/flush-overlay';
import {
  e2fsck,
  FILL_TREE,
  ImageFolder,
  LIST_TREE,
  makeImage,
  onMountedImage,
} from '../../support/mounted-image';
import { listingDifferences, parseKernelListing, readerListing } from '../../support/tree-listing';
import {
  copyLogicalVolume,
  makeVolumeGroup,
  onPhysicalVolumes,
  type Piece,
  UUIDS,
} from '../../support/volume-group';

jest.setTimeout(60_000);

let folder: ImageFolder;
let disks: [string, string];
const open: FileBlockDevice[] = [];
/** The root is longer than the first disk is: 56 extents there, the others on the second. */
let root: Piece[];
let home: Piece[];

beforeAll(async () => {
  folder = await ImageFolder.make();
  disks = [folder.image('first'), folder.image('second')];
  await makeVolumeGroup('data-vg', { [disks[0]]: 96, [disks[1]]: 96 }, [
    'lvcreate -q -an -Zn -Wn -i2 -I64 -L 48m -n home data-vg',
    'lvcreate -q -an -Zn -Wn -l 80 -n ro-ot data-vg',
  ]);
  home = [
    {
      on: [
        [disks[0], 0],
        [disks[1], 0],
      ],
      extents: 48,
      chunkBytes: 65536,
    },
  ];
  root = [
    { on: [[disks[0], 24]], extents: 71 },
    { on: [[disks[1], 24]], extents: 9 },
  ];
});
afterAll(async () => {
  await Promise.all(open.map((device) => device[Symbol.asyncDispose]()));
  await folder[Symbol.asyncDispose]();
});

async function volumes(): Promise<ImageVolume<FileBlockDevice>[]> {
  const devices = await Promise.all(disks.map((disk) => FileBlockDevice.open(disk, 'r+')));
  open.push(...devices);
  return devices.map((device, index) => ({
    volumeId: `vol-${index}`,
    deviceName: index === 0 ? '/dev/xvda' : '/dev/sdf',
    isRoot: index === 0,
    device,
  }));
}

/** Fills a filesystem through the kernel and gives what the kernel lists. */
async function filesystem(
  name: string,
  pieces: readonly Piece[],
  script: string,
): Promise<ReturnType<typeof parseKernelListing>> {
  const file = folder.image(name);
  const extents = pieces.reduce((sum, piece) => sum + piece.extents, 0);
  await makeImage(file, extents, ['mkfs.ext4', '-q', '-L', name]);
  const listing = await onMountedImage(file, `${script}\n${LIST_TREE}`);
  await copyLogicalVolume('in', file, pieces);
  return parseKernelListing(listing);
}

describe('a machine on LVM over two volumes', () => {
  let kernel: { root: ReturnType<typeof parseKernelListing>; home: ReturnType<typeof parseKernelListing> };

  beforeAll(async () => {
    kernel = {
      root: await filesystem(
        'root',
        root,
        `mkdir "$MNT/etc" "$MNT/home"; printf '/dev/mapper/data--vg-home /home ext4 defaults 0 2\\n' > "$MNT/etc/fstab"; ${FILL_TREE}`,
      ),
      home: await filesystem('home', home, 'seq 400000 > "$MNT/numbers"; mkdir -p "$MNT/a/b"'),
    };
  });

  it('is read as the kernel reads its filesystems, linear and striped', async () => {
    const image = await openImage(await volumes());
    expect(
      image.mounts.map(({ mountPoint, volumeIds, partition }) => [mountPoint, volumeIds, partition]),
    ).toEqual([
      ['/', ['vol-0', 'vol-1'], undefined],
      ['/home', ['vol-0', 'vol-1'], undefined],
    ]);
    for (const [index, expected] of [kernel.root, kernel.home].entries()) {
      expect(listingDifferences(expected, await readerListing(image.mounts[index]!.filesystem))).toEqual([]);
    }
    expect(image.identity.filesystemUuids).toEqual(expect.arrayContaining(UUIDS));
  });

  it('is written where its volumes stand and nowhere else', async () => {
    const overlays = (await volumes()).map((one) => ({ ...one, device: new OverlayBlockDevice(one.device) }));
    const image = await openWritableImage(overlays);
    const metadata = { mode: 0o640, uid: 7, gid: 7, mtimeNs: 5n, xattrs: new Map<string, Uint8Array>() };
    const content = Buffer.alloc(3_000_000, 'content of many chunks ');
    for (const { writer } of image.writableMounts) await writer!.writeFile('/new', content, metadata);
    const copies: [string, string] = [folder.image('first-copy'), folder.image('second-copy')];
    for (const [index, copy] of copies.entries()) {
      await copyFile(disks[index]!, copy);
      await flushOverlay(overlays[index]!.device, copy);
    }
    const moved = (pieces: readonly Piece[]): Piece[] =>
      pieces.map((piece) => ({
        ...piece,
        on: piece.on.map(([disk, extent]) => [copies[disks.indexOf(disk)]!, extent]),
      }));
    for (const pieces of [root, home]) {
      const flat = folder.image('flat');
      await copyLogicalVolume('out', flat, moved(pieces));
      expect(await e2fsck(flat)).toBe('');
      const sum = await onMountedImage(flat, 'cmp "$MNT/new" - < "$WANTED" && echo same', {
        environment: { WANTED: await written('wanted', content) },
      });
      expect(sum).toBe('same\n');
    }
    expect(await onPhysicalVolumes(copies, ['vgck data-vg'])).toBe('');
  });

  it('that lacks one of its volumes is refused by the name of what is missing', async () => {
    const [first] = await volumes();
    await expect(openImage([first!])).rejects.toMatchObject({
      name: 'UnsupportedFeatureError',
      features: [`LVM logical volume without its physical volume ${UUIDS[1]} data-vg/home`],
    });
  });

  it('with the same physical volume twice is refused', async () => {
    const [first, second] = await volumes();
    await expect(openImage([first!, second!, { ...second!, volumeId: 'vol-2' }])).rejects.toMatchObject({
      name: 'UnsupportedFeatureError',
    });
  });
});

describe('a group with a volume of every kind', () => {
  it('is what LVM takes for well-formed, and each volume that cannot be opened is refused by name', async () => {
    const [disk, text] = [folder.image('kinds'), folder.image('text')];
    await writeFile(text, GROUP_OF_KINDS);
    await makeVolumeGroup('vg', { [disk]: 96 }, [`vgcfgrestore -q --force -f ${text} vg`]);
    const known = await onPhysicalVolumes([disk], ['lvs --noheadings -o lv_name']);
    expect(known.trim().split(/\s+/).sort()).toEqual(['plain', ...Object.keys(REFUSED_KINDS)].sort());
    await using device = await FileBlockDevice.open(disk);
    const { filesystems } = await listFilesystems([
      { volumeId: 'vol-1', deviceName: '/dev/xvda', isRoot: true, device },
    ]);
    const refusals = filesystems.flatMap(({ logicalVolume, refusal }) =>
      logicalVolume === undefined
        ? []
        : [[logicalVolume, refusal instanceof UnsupportedFeatureError && refusal.features[0]]],
    );
    expect(Object.fromEntries(refusals)).toEqual({
      'vg/plain': false,
      ...Object.fromEntries(Object.entries(REFUSED_KINDS).map(([name, why]) => [`vg/${name}`, why])),
    });
  });
});

async function written(name: string, content: Uint8Array): Promise<string> {
  const file = folder.image(name);
  await writeFile(file, content);
  return file;
}
