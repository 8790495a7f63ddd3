import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { keyOfPath, pathOfKey } from './object-path';
import type { StoredObject } from './stored-object';

/**
 * One object is one file: the length of its header (4 bytes, big endian), the header as JSON, the bytes. One file, so that a
 * rename puts bytes and facts in place together.
 */
const LENGTH_BYTES = 4;
const BESIDE = '.part';

type Header = Omit<StoredObject, 'key' | 'size'>;

/** Writes a file beside the object's; `put` renames it into place. */
export async function writeBeside(
  folder: string,
  key: string,
  header: Header,
  body: readonly Uint8Array[],
): Promise<{ put: () => void }> {
  const file = path.join(folder, pathOfKey(key));
  mkdirSync(path.dirname(file), { recursive: true });
  const beside = path.join(path.dirname(file), `${randomUUID()}${BESIDE}`);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(text.length);
  const handle = await open(beside, 'wx');
  try {
    for (const bytes of [length, text, ...body]) if (bytes.length > 0) await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
  return { put: () => renameSync(beside, file) };
}

/** Bytes of an object, both ends included. */
export async function readRange(
  folder: string,
  object: StoredObject,
  first: number,
  last: number,
): Promise<Buffer> {
  const handle = await open(path.join(folder, pathOfKey(object.key)));
  try {
    const start = LENGTH_BYTES + (await headerLength(handle));
    const bytes = Buffer.allocUnsafe(last - first + 1);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + first + done);
      if (bytesRead === 0)
        throw new Error(`The file of the object ${object.key} is shorter than its header says.`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Every object below a bucket's folder. Files that a crash left half-written are not objects. */
export async function readObjects(folder: string): Promise<StoredObject[]> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const found: StoredObject[] = [];
  for (const entry of files) {
    const file = path.join(entry.parentPath, entry.name);
    const key = keyOfPath(path.relative(folder, file));
    if (key === undefined) continue;
    const handle = await open(file);
    try {
      const length = await headerLength(handle);
      const text = Buffer.alloc(length);
      await handle.read(text, 0, length, LENGTH_BYTES);
      const header = JSON.parse(text.toString()) as Header;
      found.push({ ...header, key, size: (await handle.stat()).size - LENGTH_BYTES - length });
    } finally {
      await handle.close();
    }
  }
  return found;
}

async function headerLength(handle: Awaited<ReturnType<typeof open>>): Promise<number> {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  await handle.read(bytes, 0, LENGTH_BYTES, 0);
  return bytes.readUInt32BE(0);
}
