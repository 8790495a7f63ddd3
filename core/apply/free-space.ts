import type { WritableImage } from '../image/image';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import type { WritableMount } from './apply-engine';
import { NotEnoughSpaceError } from './apply-errors';
import { placeOf } from './direct-engine';

/** What an entry takes beside its content: inode, directory entry, the last block that is not full. */
const ENTRY_OVERHEAD_BYTES = 8192;

/**
 * Whether what the operations put fits the free space of each filesystem. What they remove or replace is not counted as
 * gained: for a moment both are there.
 *
 * @throws NotEnoughSpaceError
 */
export async function checkFreeSpace(
  manifest: Manifest,
  image: WritableImage,
  alreadyDone: ReadonlySet<string>,
): Promise<void> {
  // Subvolumes of one btrfs share its room.
  const needed = new Map<unknown, { mount: WritableMount; bytes: number }>();
  for (const operation of manifest.operations) {
    if (alreadyDone.has(operation.path)) continue;
    const { mount } = placeOf(image.writableMounts, operation.path);
    const room = mount.device ?? mount;
    const bytes = (needed.get(room)?.bytes ?? 0) + (await neededBytes(operation, image));
    needed.set(room, { mount, bytes });
  }
  for (const { mount, bytes } of needed.values()) {
    const freeBytes = await mount.filesystem.freeBytes();
    if (bytes > freeBytes) throw new NotEnoughSpaceError(mount.mountPoint, bytes, freeBytes);
  }
}

async function neededBytes(operation: Operation, image: WritableImage): Promise<number> {
  switch (operation.kind) {
    case 'put-file':
      return operation.sizeBytes + ENTRY_OVERHEAD_BYTES;
    case 'put-record': {
      const own = await image.lstat(operation.copyOf ?? operation.path);
      return (own?.sizeBytes ?? 0) + ENTRY_OVERHEAD_BYTES;
    }
    case 'make-directory':
    case 'make-symlink':
    case 'make-node':
      return ENTRY_OVERHEAD_BYTES;
    case 'remove':
    case 'make-hard-link':
    case 'set-metadata':
      return 0;
  }
}
