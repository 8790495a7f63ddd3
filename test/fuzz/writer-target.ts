import { OverlayBlockDevice } from '../../core/block-device/overlay-block-device';
import { openExt4Writable } from '../../core/filesystem/ext4/write/open-ext4-writable';
import type { FilesystemWriter, Metadata } from '../../core/filesystem/filesystem';
import type { MutableImage } from './mutable-image';
import { ImageTarget, outcomeOf } from './reader-target';
import type { Target } from './target';

const METADATA: Metadata = {
  mode: 0o640,
  uid: 5,
  gid: 6,
  mtimeNs: 1_700_000_000_000_000_000n,
  xattrs: new Map([['user.note', Buffer.from('value')]]),
};
const LARGE = { ...METADATA, xattrs: new Map([['user.large', Buffer.alloc(600, 'v')]]) };

/** What an update does, one of each, on the tree that fill-corpus.py made. */
async function update(filesystem: FilesystemWriter): Promise<void> {
  await filesystem.writeFile('/a/new', Buffer.alloc(30_000, 'new'), METADATA);
  await filesystem.writeFile('/a/small', Buffer.from('replaced'), LARGE);
  await filesystem.writeFile('/comb', Buffer.alloc(5000, 'c'), METADATA);
  await filesystem.mkdir('/many/directory', METADATA);
  for (let number = 0; number < 20; number++)
    await filesystem.writeFile(`/many/${'w'.repeat(60)}-${number}`, Buffer.from('x'), METADATA);
  await filesystem.link('/a/large', '/few/link');
  await filesystem.symlink('/a/link', 't'.repeat(100), METADATA);
  await filesystem.mknod('/a/node', 'character-device', { major: 1, minor: 5 }, METADATA);
  await filesystem.setMetadata('/a/b', METADATA);
  await filesystem.remove('/a/long-link');
  await filesystem.remove('/hole');
  await filesystem.remove('/reserved');
}

/** Looks at an image before and after it was changed. @returns in what it is worse; empty when it is not */
export type Judge = (before: Uint8Array, after: Uint8Array) => string;

/** Updates a changed image. It is refused, or found wrong by the writer's own check, or as good as it was before. */
export function writerTarget(name: string, judge?: Judge): Target {
  return {
    name: `write ${name}`,
    prepare: () =>
      ImageTarget.prepare([[name, 'ext4']], async ([image]) =>
        outcomeOf(async () => {
          const overlay = new OverlayBlockDevice(image!.device());
          const filesystem = await openExt4Writable(overlay);
          await update(filesystem);
          const problems = await filesystem.check();
          if (problems.length === 0 && judge !== undefined) await judgeOverlay(image!, overlay, judge);
          return problems.length;
        }),
      ),
  };
}

async function judgeOverlay(
  { bytes }: MutableImage,
  overlay: OverlayBlockDevice,
  judge: Judge,
): Promise<void> {
  const worse = judge(bytes, await overlay.read(0, overlay.sizeBytes));
  if (worse !== '') throw new Error(`worse than before: ${worse}`);
}
