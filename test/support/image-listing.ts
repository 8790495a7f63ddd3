import { createHash } from 'node:crypto';
import type { Image } from '../../core/image/image';

/**
 * Everything that a user of an image can see, by path: type, mode, owner, content, attributes, time of change and which
 * paths are one inode. Two images with equal listings are equal.
 */
export async function listImage(
  image: Image,
  options: { times?: boolean } = {},
): Promise<Record<string, string>> {
  const listing: Record<string, string> = {};
  const names = new Map<string, string[]>();
  const entries = [];
  for await (const entry of image.scan()) entries.push(entry);
  for (const { path, stat } of entries) {
    const inode = `${image.mountOf(path).mountPoint} ${stat.inode}`;
    names.set(inode, [...(names.get(inode) ?? []), path].sort());
  }
  for (const { path, stat } of entries) {
    const xattrs = [...(await image.xattrs(path))].map(
      ([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`,
    );
    const shared = names.get(`${image.mountOf(path).mountPoint} ${stat.inode}`)!;
    const content =
      stat.type === 'file'
        ? createHash('sha256')
            .update(await image.readFile(path))
            .digest('hex')
            .slice(0, 16)
        : stat.type === 'symlink'
          ? await image.readlink(path)
          : stat.device === undefined
            ? ''
            : `${stat.device.major}:${stat.device.minor}`;
    listing[path] = [
      stat.type,
      (stat.type === 'symlink' ? 0o777 : stat.mode).toString(8),
      `${stat.uid}:${stat.gid}`,
      content,
      xattrs.sort().join(','),
      options.times === false ? '' : String(stat.mtimeNs),
      stat.type !== 'directory' && shared.length > 1 ? `one inode: ${shared.join(' ')}` : '',
    ].join(' | ');
  }
  return listing;
}
