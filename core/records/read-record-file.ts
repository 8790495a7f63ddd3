import type { FilesystemReader } from '../filesystem/filesystem';
import type { RecordCodec, RecordFile } from './record-codec';
import { RecordFormatError } from './record-errors';

/** Larger files are compared whole. */
export const LARGEST_RECORD_FILE_BYTES = 256 * 1024 * 1024;

/**
 * The record file at a path of an image, with the companions that are one unit with it.
 *
 * @throws RecordFormatError when it is not surely of the codec's format
 */
export async function readRecordFile(
  image: Pick<FilesystemReader, 'lstat' | 'readFile'>,
  path: string,
  codec: RecordCodec,
): Promise<RecordFile> {
  const { bytes, companions } = await readUnit(image, path, codec);
  return parseRecordFile(bytes, codec, companions);
}

/**
 * The bytes of a record file, and of its companions that are there and not empty.
 *
 * @throws RecordFormatError when they are more than are read
 */
export async function readUnit(
  image: Pick<FilesystemReader, 'lstat' | 'readFile'>,
  path: string,
  codec: Pick<RecordCodec, 'name' | 'companions'>,
): Promise<{ bytes: Uint8Array; companions: ReadonlyMap<string, Uint8Array> }> {
  const sizeBytes = (await image.lstat(path))?.sizeBytes ?? 0;
  if (sizeBytes > LARGEST_RECORD_FILE_BYTES) {
    throw new RecordFormatError(codec.name, `${sizeBytes} bytes are too many`);
  }
  const companions = new Map<string, Uint8Array>();
  for (const ending of codec.companions ?? []) {
    const stat = await image.lstat(path + ending);
    if (stat === undefined) continue;
    if (stat.type !== 'file' || stat.sizeBytes > LARGEST_RECORD_FILE_BYTES) {
      throw new RecordFormatError(codec.name, `${path + ending} is no file that belongs to it`);
    }
    if (stat.sizeBytes > 0) companions.set(ending, await image.readFile(path + ending));
  }
  return { bytes: await image.readFile(path), companions };
}

/** @throws RecordFormatError when these bytes are not surely of the codec's format */
export async function parseRecordFile(
  bytes: Uint8Array,
  codec: RecordCodec,
  companions?: ReadonlyMap<string, Uint8Array>,
): Promise<RecordFile> {
  await codec.prepare?.();
  return codec.parse(bytes, companions);
}
