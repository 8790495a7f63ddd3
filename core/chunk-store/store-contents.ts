import type { PackIndex, PackWriter } from './chunk-store';
import { type Content, PACK_BYTES, PackBuilder } from './pack-builder';

/** Stores contents as packs while they come, holding one pack in memory. Gives the index that a manifest carries. */
export async function storeContents(
  contents: AsyncIterable<Content>,
  writer: PackWriter,
  options: { packBytes?: number } = {},
): Promise<PackIndex[]> {
  const builder = new PackBuilder(options.packBytes ?? PACK_BYTES);
  const indexes: PackIndex[] = [];
  const store = async (pack: ReturnType<PackBuilder['finish']>): Promise<void> => {
    if (pack === undefined) return;
    await writer.putPack(pack.index.digest, pack.bytes);
    indexes.push(pack.index);
  };
  for await (const content of contents) await store(builder.add(content));
  await store(builder.finish());
  return indexes;
}
