import type { Stat } from '../filesystem/filesystem';
import type { Image } from '../image/image';

/** Whether a hard link is there: inode numbers are unique in one mount only. */
export function isSameInode(
  image: Pick<Image, 'mountOf'>,
  link: { readonly path: string; readonly existingPath: string },
  stat: Stat,
  existing: Stat,
): boolean {
  return (
    stat.inode === existing.inode &&
    image.mountOf(link.path).mountPoint === image.mountOf(link.existingPath).mountPoint
  );
}
