import { gzipSync } from 'node:zlib';
import { matchImage } from '../../../core/match/match-image';
import { makeCpio } from '../../support/make-cpio';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { applyCaptured, captureUpdate } from '../../support/pipeline';

const INITRAMFS = '/boot/initrd.img-6.1.0-39-amd64';
const root = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1n, xattrs: new Map<string, Uint8Array>() };
const own = { init: '#!/bin/sh\n', 'conf/modules': 'ext4\n' };

async function machine(content: Uint8Array): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put('/boot/vmlinuz-6.1.0-39-amd64', 'kernel');
  await filesystem.writeFile(INITRAMFS, content, root);
  return filesystem;
}

const made = (files: Readonly<Record<string, string>>, at: number): Buffer => gzipSync(makeCpio(files, at));

async function captured(start: Uint8Array, update: (filesystem: MemoryFilesystem) => Promise<void>) {
  const before = await machine(start);
  const after = before.clone();
  await update(after);
  return captureUpdate(new MemoryImage(before), new MemoryImage(after));
}

describe('an initramfs that an update makes anew', () => {
  const renewed = made({ ...own, 'bin/udevd': 'version 2' }, 2000);
  const renew = (filesystem: MemoryFilesystem) => filesystem.writeFile(INITRAMFS, renewed, root);

  it('is put on a machine whose own holds the same, made at another time and packed to another size', async () => {
    const update = await captured(made(own, 1000), renew);
    const member = new MemoryImage(await machine(makeCpio(own, 1500)));
    await applyCaptured(update, member);
    expect(Buffer.from(await member.readFile(INITRAMFS)).equals(renewed)).toBe(true);
  });

  it('fits no machine whose own holds something else', async () => {
    const { manifest, packs } = await captured(made(own, 1000), renew);
    const hostOnly = await machine(made({ ...own, 'conf/modules': 'ext4\nnvme\n' }, 1000));
    const { matched, differences } = await matchImage(manifest, new MemoryImage(hostOnly), { packs });
    expect(matched).toBe(false);
    expect(differences.map(({ path }) => path)).toEqual([INITRAMFS]);
  });

  it('is removed with its kernel, although no two machines have the same bytes', async () => {
    const update = await captured(made(own, 1000), async (filesystem) => {
      await filesystem.remove(INITRAMFS);
      await filesystem.remove('/boot/vmlinuz-6.1.0-39-amd64');
    });
    const member = new MemoryImage(await machine(made(own, 1500)));
    await applyCaptured(update, member);
    expect(await member.lstat(INITRAMFS)).toBeUndefined();
  });

  it('that cannot be read is compared byte by byte, and the report says so', async () => {
    const xz = Buffer.from('\xfd7zXZ\0something', 'latin1');
    const { manifest, packs } = await captured(xz, renew);
    expect(manifest.warnings).toEqual([
      `${INITRAMFS} cannot be read as an initramfs, so that other machines must have its very bytes`,
    ]);
    const same = new MemoryImage(await machine(xz));
    expect((await matchImage(manifest, same, { packs })).matched).toBe(true);
    const other = new MemoryImage(await machine(Buffer.concat([xz, Buffer.from('x')])));
    expect((await matchImage(manifest, other, { packs })).matched).toBe(false);
  });
});
