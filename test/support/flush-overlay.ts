import { SNAPSHOT_BLOCK_BYTES } from '../../core/block-device/block-device';
import type { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { FileBlockDevice } from './file-block-device';

/** Puts the changed blocks of an overlay into the image file that it lies over. @returns how many there were */
export async function flushOverlay(overlay: OverlayBlockDevice, file: string): Promise<number> {
  await using image = await FileBlockDevice.open(file, 'r+');
  let blocks = 0;
  for await (const { index, bytes } of overlay.changedBlocks()) {
    const start = index * SNAPSHOT_BLOCK_BYTES;
    await image.write(start, bytes.subarray(0, Math.min(bytes.length, image.sizeBytes - start)));
    blocks += 1;
  }
  return blocks;
}
