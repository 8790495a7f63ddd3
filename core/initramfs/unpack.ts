import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { unpackLz4 } from '../records/lz4-frame';
import { InitramfsError } from './cpio';

/** An initramfs with every module and all firmware unpacks to some 400 MB. */
const MOST_UNPACKED_BYTES = 1024 ** 3;

interface Compression {
  readonly name: string;
  readonly magic: readonly number[];
  /** Undefined: Node has no decoder for it. */
  unpack?(packed: Uint8Array): Uint8Array;
}

/** What Linux unpacks (lib/decompress.c), told by the first bytes. */
const COMPRESSIONS: readonly Compression[] = [
  {
    name: 'gzip',
    magic: [0x1f, 0x8b],
    unpack: (packed) => gunzipSync(packed, { maxOutputLength: MOST_UNPACKED_BYTES }),
  },
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    unpack: (packed) => zstdDecompressSync(packed, { maxOutputLength: MOST_UNPACKED_BYTES }),
  },
  {
    name: 'lz4',
    magic: [0x02, 0x21, 0x4c, 0x18],
    unpack: (packed) => unpackLz4(packed, MOST_UNPACKED_BYTES),
  },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: 'lzma', magic: [0x5d, 0x00, 0x00] },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'lzo', magic: [0x89, 0x4c, 0x5a, 0x4f] },
];

/**
 * What is packed from `at` to the end.
 *
 * @throws InitramfsError naming the compression when it cannot be unpacked here
 */
export function unpackRest(bytes: Uint8Array, at: number): Uint8Array {
  const compression = COMPRESSIONS.find(({ magic }) =>
    magic.every((byte, index) => bytes[at + index] === byte),
  );
  if (compression === undefined) throw new InitramfsError('neither an archive nor a known compression', at);
  if (compression.unpack === undefined)
    throw new InitramfsError(`it is packed with ${compression.name}, which is not read here`, at);
  try {
    return compression.unpack(bytes.subarray(at));
  } catch (error) {
    throw new InitramfsError(
      `its ${compression.name} part is damaged or too large (${(error as Error).message})`,
      at,
    );
  }
}
