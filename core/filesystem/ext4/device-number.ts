import { readU32, writeU32 } from '../../bytes/little-endian';

/** Device numbers in i_block: the 16-bit form in the first word where it fits, else the 32-bit form in the second. */
export function parseDeviceNumber(block: Uint8Array): { major: number; minor: number } {
  const old = readU32(block, 0);
  if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff };
  const wide = readU32(block, 4);
  return { major: (wide & 0xfff00) >>> 8, minor: (wide & 0xff) | ((wide >>> 12) & 0xfff00) };
}

/** The 60 bytes of i_block for a device node, as the kernel writes them. */
export function serializeDeviceNumber({ major, minor }: { major: number; minor: number }): Uint8Array {
  const block = new Uint8Array(60);
  if (major < 256 && minor < 256) writeU32(block, 0, (major << 8) | minor);
  else writeU32(block, 4, ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0);
  return block;
}
