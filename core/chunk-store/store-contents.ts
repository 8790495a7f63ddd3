import type { PackIndex, PackWriter } from './chunk-store';
import { buildPacks, type Content, PACK_BYTES } from './pack-builder';

/** Stores contents as packs while they come, holding one pack in memory. Gives the index that a manifest carries. */
export async function storeContents(
  contents: AsyncIterable<Content>,
  writer: PackWriter,
  options: { packBytes?: number } = {},
): Promise<PackIndex[]> {
  const indexes: PackIndex[] = [];
  for await (const { index, bytes } of buildPacks(contents, options.packBytes ?? PACK_BYTES)) {
    await writer.putPack(index.digest, bytes);
    indexes.push(index);
  }
  return indexes;
}
