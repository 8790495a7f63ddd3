import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { fatStructures, lvmStructures, partitionStructures } from './disk-structures';
import { ext4Structures } from './ext4-structures';
import { MutableImage } from './mutable-image';
import type { Structure } from './structure';
import { findXfsStructures, sealXfsStructure } from '../support/xfs-structures';

/** An image of the corpus, as make-corpus.ts made it. */
export async function corpusImage(name: string): Promise<MutableImage> {
  const packed = await readFile(join(__dirname, 'corpus', `${name}.img.br`));
  return new MutableImage(name, new Uint8Array(brotliDecompressSync(packed)));
}

/** Where an image of this kind keeps what leads somewhere. */
export async function structuresOf(kind: string, image: MutableImage): Promise<Structure[]> {
  const { bytes } = image;
  if (kind === 'ext4') return ext4Structures(bytes);
  if (kind === 'vfat') return fatStructures(bytes);
  if (kind === 'xfs') return xfsStructures(bytes);
  return [...partitionStructures(bytes), ...lvmStructures(bytes), ...fstabStructures(bytes)];
}

function fstabStructures(bytes: Uint8Array): Structure[] {
  const offset = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('LABEL=root / ext4');
  return offset < 0 ? [] : [{ kind: 'fstab', offset, length: 140 }];
}

function xfsStructures(bytes: Uint8Array): Structure[] {
  const hasChecksums = (bytes[101]! & 0xf) === 5;
  if (!hasChecksums) return xfs4Structures(bytes);
  return findXfsStructures(bytes).map((structure) => ({
    kind: structure.kind,
    offset: structure.offset,
    length: structure.length,
    seal: (image: MutableImage) => {
      const sealed = image.bytes.slice(structure.offset, structure.offset + structure.length);
      sealXfsStructure(sealed, { ...structure, offset: 0 });
      image.write(structure.offset, sealed);
    },
  }));
}

/** Of version 4, without checksums: magics by where in a structure they stand, and how long it is. */
const XFS_4_MAGICS = [
  ['superblock', 'XFSB', 0, 512],
  ['AGF', 'XAGF', 0, 512],
  ['AGI', 'XAGI', 0, 512],
  ['inode tree', 'IABT', 0, 4096],
  ['free inode tree', 'FIBT', 0, 4096],
  ['extent tree', 'BMAP', 0, 4096],
  ['directory block', 'XD2B', 0, 4096],
  ['directory data', 'XD2D', 0, 4096],
  ['directory leaf', '\xd2\xf1', 8, 4096],
  ['attribute leaf', '\xfb\xee', 8, 4096],
  ['inode', 'IN', 0, 256],
] as const;

function xfs4Structures(bytes: Uint8Array): Structure[] {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: Structure[] = [];
  for (const [kind, magic, at, length] of XFS_4_MAGICS) {
    for (let offset = 0; offset + length <= image.length; offset += length) {
      const isOne = image.toString('latin1', offset + at, offset + at + magic.length) === magic;
      if (isOne) found.push({ kind, offset, length });
    }
  }
  return found;
}
