import { readFile, truncate, writeFile } from 'node:fs/promises';
import { MemoryBlockDevice } from '../../../../core/block-device/memory-block-device';
import { ImageElvesError } from '../../../../core/errors';
import { CorruptFilesystemError } from '../../../../core/filesystem/errors';
import { openXfs } from '../../../../core/filesystem/xfs/open-xfs';
import { FileBlockDevice } from '../../../support/file-block-device';
import { ImageFolder, makeImage, onMountedImage } from '../../../support/mounted-image';
import { readEverything } from '../../../support/read-everything';
import { newerTool } from '../../../support/newer-tools';
import { findXfsStructures, sealXfsStructure, type XfsStructure } from '../../../support/xfs-structures';

jest.setTimeout(240_000);

const ROUNDS = Number(process.env['ROUNDS'] ?? 80);
/** Far more than any of these takes; a loop without end would pass it. */
const PATIENCE_MS = 10_000;

const FILL = `
  "$PYTHON" - "$MNT" <<'PYTHON'
import os, sys
root = sys.argv[1]
os.makedirs(root + '/a/b/c')
for number in range(60):
    with open(f'{root}/a/file-{number}', 'wb') as file:
        file.write(b'x' * (number * 7))
os.mkdir(root + '/links')
for number in range(60):
    os.link(root + '/a/file-50', f'{root}/links/{"l" * 150}{number}')
os.mkdir(root + '/block')
for number in range(12):
    open(f'{root}/block/{"n" * 20}{number}', 'w').close()
with open(root + '/comb', 'wb') as file:
    for block in range(200):
        file.seek(block * 4096)
        file.write(b'%d' % block)
os.symlink('t' * 900, root + '/a/long')
os.symlink('short', root + '/a/short')
for number in range(10):
    os.setxattr(f'{root}/a/file-{number}', 'user.large', b'v' * (number * 300))
for number in range(100):
    os.setxattr(f'{root}/a/file-11', f'user.attribute-{number}', b'v' * 30)
os.mknod(root + '/a/null', 0o20600, os.makedev(1, 3))
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

const EVIL_WORDS = [0, 1, 2, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

function damage(
  image: Uint8Array,
  structures: readonly XfsStructure[],
  random: (below: number) => number,
): void {
  const view = new DataView(image.buffer, image.byteOffset);
  const kinds = [...new Set(structures.map(({ kind }) => kind))];
  for (let wounds = 1 + random(6); wounds > 0; wounds--) {
    const kind = kinds[random(kinds.length)];
    const some = structures.filter((structure) => structure.kind === kind);
    const wounded = some[random(some.length)]!;
    // Headers and the first entries lead to most that can go wrong.
    const within = random(2) === 0 ? Math.min(256, wounded.length) : wounded.length;
    const at = wounded.offset + random(within / 4) * 4;
    const form = random(5);
    if (form === 0) image[at + random(4)] = random(256);
    else if (form === 1) view.setUint32(at, EVIL_WORDS[random(EVIL_WORDS.length)]!);
    else if (form === 2) view.setUint32(at, random(65_536));
    else if (form === 3) view.setUint16(at + random(2) * 2, EVIL_WORDS[random(6)]!);
    else image[at + random(4)]! ^= 1 << random(8);
    sealXfsStructure(image, wounded);
  }
}

async function outcome(image: Uint8Array): Promise<'read' | 'refused'> {
  try {
    const refused = await readEverything(await openXfs(MemoryBlockDevice.from(image)));
    return refused > 0 ? 'refused' : 'read';
  } catch (error) {
    if (!(error instanceof ImageElvesError)) throw error;
    return 'refused';
  }
}

let image: Uint8Array;
let structures: XfsStructure[];

beforeAll(async () => {
  await using folder = await ImageFolder.make();
  const file = folder.image('volume');
  const options = ['-b', 'size=1024', '-n', 'parent=1', '-d', 'agcount=1', '-l', 'size=5m'];
  await makeImage(file, 24, [
    ...(await newerTool('mkfs.xfs')),
    '-q',
    '-f',
    '-K',
    '--unsupported',
    ...options,
  ]);
  await onMountedImage(file, FILL);
  image = new Uint8Array(await readFile(file));
  structures = findXfsStructures(image);
});

describe('a hostile XFS image', () => {
  it('gets a typed error or an answer, and never a hang, though its checksums are right', async () => {
    const random = randomNumbers(Number(process.env['SEED'] ?? 29));
    const outcomes = { read: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const damaged = image.slice();
      damage(damaged, structures, random);
      const start = Date.now();
      outcomes[await outcome(damaged)]++;
      expect([round, Date.now() - start < PATIENCE_MS]).toEqual([round, true]);
    }
    expect(outcomes.read).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(ROUNDS / 4);
  });

  it('with one wrong bit in any structure is found out', async () => {
    const random = randomNumbers(31);
    const found = new Map<string, number>();
    for (const structure of sample(structures, 8)) {
      const erased = image.slice();
      erased.fill(0, structure.offset, structure.offset + structure.length);
      // What may be missing unnoticed is not in use.
      if ((await outcome(erased)) === 'read') continue;
      const wrong = image.slice();
      const bit = random(structure.length * 8);
      wrong[structure.offset + (bit >>> 3)]! ^= 1 << (bit & 7);
      expect([structure, bit, await outcome(wrong)]).toEqual([structure, bit, 'refused']);
      found.set(structure.kind, (found.get(structure.kind) ?? 0) + 1);
    }
    expect([...found.keys()].sort()).toEqual(
      [
        ...['AGF', 'AGI', 'attribute leaf', 'attribute node', 'attribute value', 'directory block'],
        ...['directory data', 'extent tree', 'inode', 'inode tree', 'superblock', 'symbolic link'],
      ].sort(),
    );
  });

  it('with a block of another place, owner or filesystem in the place of one is found out', async () => {
    const blocks = structures.filter(({ kind }) => kind === 'directory data');
    const [one, other] = [blocks[0]!, blocks[1]!];
    const moved = image.slice();
    moved.copyWithin(one.offset, other.offset, other.offset + other.length);
    await expect(readEverything(await openXfs(MemoryBlockDevice.from(moved)))).rejects.toThrow(
      "directory block in another's place",
    );
    for (const [what, at] of [
      ['of another filesystem', 24],
      ['of another owner', 47],
    ] as const) {
      const foreign = image.slice();
      foreign[one.offset + at]! ^= 0xff;
      sealXfsStructure(foreign, one);
      await expect(readEverything(await openXfs(MemoryBlockDevice.from(foreign)))).rejects.toThrow(what);
    }
  });

  it.each([
    ['needsrepair', 0x10, ['needsrepair']],
    ['metadir', 0x100, ['metadir']],
    ['an unknown feature', 0x8000_0000, ['incompat 0x80000000']],
  ])('is refused by name: %s', async (_, bit, features) => {
    const refused = image.slice();
    const view = new DataView(refused.buffer);
    view.setUint32(216, (view.getUint32(216) | bit) >>> 0);
    sealXfsStructure(
      refused,
      structures.find(({ kind, offset }) => kind === 'superblock' && offset === 0)!,
    );
    await expect(openXfs(MemoryBlockDevice.from(refused))).rejects.toMatchObject({
      name: 'UnsupportedFeatureError',
      features,
      purpose: 'read',
    });
  });

  it.each([
    ['external log', ['-l', 'logdev=$OTHER,size=8m']],
    ['realtime', ['-r', 'rtdev=$OTHER']],
  ])('of which a part is on another device is refused by name: %s', async (feature, options) => {
    await using folder = await ImageFolder.make();
    const [file, other] = [folder.image('volume'), folder.image('other')];
    await writeFile(other, '');
    await truncate(other, 64 * 1024 * 1024);
    const told = options.map((option) => option.replace('$OTHER', other));
    await makeImage(file, 64, [
      'mkfs.xfs',
      '-q',
      '-f',
      '-K',
      '--unsupported',
      '-m',
      'rmapbt=0,reflink=0',
      ...told,
    ]);
    await using device = await FileBlockDevice.open(file);
    await expect(openXfs(device)).rejects.toMatchObject({
      name: 'UnsupportedFeatureError',
      features: [feature],
    });
  });

  it('that says it is larger than its device is found out', async () => {
    await expect(openXfs(MemoryBlockDevice.from(image.slice(0, image.length / 2)))).rejects.toBeInstanceOf(
      CorruptFilesystemError,
    );
  });
});

/** So many of each kind, all over the image. */
function sample(all: readonly XfsStructure[], each: number): XfsStructure[] {
  const kinds = Map.groupBy(all, ({ kind }) => kind);
  return [...kinds.values()].flatMap((some) =>
    some.filter((_, position) => position % Math.ceil(some.length / each) === 0),
  );
}
