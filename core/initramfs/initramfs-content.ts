import { digestOf } from '../chunk-store/digest';
import { type CpioEntry, InitramfsError, isCpio, readCpio } from './cpio';
import { unpackRest } from './unpack';

/** mkinitramfs(8), dracut(8); also what they keep of the one before. */
const INITRAMFS = /^\/boot\/(initrd\.img-[^/]+|initramfs-[^/]+\.img|initrd-[^/]+)$/;

/** Larger ones are compared byte by byte. */
export const LARGEST_INITRAMFS_BYTES = 512 * 1024 * 1024;

/** Archives that one initramfs is made of: microcode, then one or two others. */
const MOST_ARCHIVES = 16;

export function isInitramfs(path: string): boolean {
  return INITRAMFS.test(path);
}

/**
 * What an initramfs comes to when it is unpacked, as text: a line an entry with name, mode, owner, device and digest of
 * content. Two machines make the same one at different times, and its bytes differ in times, inode numbers, order and
 * compression; what a machine's own settings put in it (MODULES=dep, a host-only dracut, microcode) makes it another one.
 *
 * @throws InitramfsError when it cannot be read: compare it byte by byte then
 */
export function initramfsContent(bytes: Uint8Array): Uint8Array {
  const archives = archivesOf(bytes);
  const lines = archives.flatMap((entries, index) => linesOf(entries).map((line) => `${index} ${line}\n`));
  return Buffer.from(lines.join(''), 'utf8');
}

function archivesOf(whole: Uint8Array): CpioEntry[][] {
  const archives: CpioEntry[][] = [];
  let bytes = whole;
  let isUnpacked = false;
  let at = 0;
  for (;;) {
    while (bytes[at] === 0) at++;
    if (at >= bytes.length) break;
    if (archives.length >= MOST_ARCHIVES) throw new InitramfsError('too many archives', at);
    if (isCpio(bytes, at)) {
      const { entries, end } = readCpio(bytes, at);
      archives.push(entries);
      at = end;
    } else if (isUnpacked) throw new InitramfsError('no archive in what was packed', at);
    else {
      [bytes, at, isUnpacked] = [unpackRest(bytes, at), 0, true];
    }
  }
  if (archives.length === 0) throw new InitramfsError('nothing in it');
  return archives;
}

/** The content of a file with several names stands at one of them only; each name tells all, by one digest of them. */
function linesOf(entries: readonly CpioEntry[]): string[] {
  const groups = new Map<string, { readonly names: string[]; content: Uint8Array }>();
  for (const { name, linkGroup, content } of entries) {
    if (linkGroup === undefined) continue;
    const group = groups.get(linkGroup) ?? { names: [], content };
    group.names.push(name);
    if (content.length > 0) group.content = content;
    groups.set(linkGroup, group);
  }
  const ofGroup = new Map(
    [...groups].map(([key, { names, content }]) => {
      const all = digestOf(Buffer.from(JSON.stringify(names.sort()), 'utf8'));
      return [key, { content: digestOf(content), names: all }];
    }),
  );
  const lines = entries.map(({ name, mode, uid, gid, device, content, linkGroup }) => {
    const group = linkGroup === undefined ? undefined : ofGroup.get(linkGroup)!;
    const digest = group?.content ?? digestOf(content);
    return JSON.stringify([name, mode, uid, gid, device, digest, group?.names ?? []]);
  });
  return lines.sort();
}

/** The content by which machines are compared; undefined for what is no initramfs, or none that can be read here. */
export function comparableContent(path: string, bytes: Uint8Array): Uint8Array | undefined {
  if (!isInitramfs(path) || bytes.length > LARGEST_INITRAMFS_BYTES) return undefined;
  try {
    return initramfsContent(bytes);
  } catch (error) {
    if (error instanceof InitramfsError) return undefined;
    throw error;
  }
}
