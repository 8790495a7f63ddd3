import type { FilesystemReader } from '../filesystem/filesystem';

/** Scripts are smaller; of a larger file its paths are not looked for. */
const LARGEST_SCRIPT_BYTES = 512 * 1024;
const ELF = Buffer.from('\x7fELF', 'latin1');

/** Whether a file is a program or library in machine code (elf(5)). */
export async function isElf(image: FilesystemReader, path: string): Promise<boolean> {
  const head = await image.readFile(path, { offsetBytes: 0, lengthBytes: ELF.length });
  return ELF.equals(head);
}

/** The text of a script, one character a byte; undefined for what is none. */
export async function scriptText(image: FilesystemReader, path: string): Promise<string | undefined> {
  const stat = await image.lstat(path);
  if (stat?.type !== 'file' || stat.sizeBytes > LARGEST_SCRIPT_BYTES) return undefined;
  const text = Buffer.from(await image.readFile(path)).toString('latin1');
  return text.startsWith('#!') && !text.includes('\0') ? text : undefined;
}
