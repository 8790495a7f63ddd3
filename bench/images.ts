import path from 'node:path';
import { aptSources, bootstrapTree } from '../local/fleet/base-tree';
import { EXT4 } from '../local/fleet/disk-layout';
import { makeBaseDisks, makeMachineDisks } from '../local/fleet/machine-disk';
import { removeDisks } from '../local/fleet/make-disks';
import { buildBannerPackage } from '../local/fleet/package-repository';
import { runProgram } from '../local/fleet/run-program';
import { withRootMounted } from '../local/fleet/with-root-mounted';

/** Debian 12 volumes of 8 GiB: the representative before and after its update, and a member that is to be patched. */
export interface Images {
  readonly before: string;
  readonly after: string;
  readonly member: string;
}

/** apt with the distribution's archives alone, as root of the image, in namespaces of its own; nothing is started. */
export async function inImage(diskFile: string, commands: string): Promise<void> {
  await withRootMounted(diskFile, async (root) => {
    const script = `
      mount -t proc proc "$1/proc"; mount -t tmpfs tmpfs "$1/run"
      touch "$1/etc/resolv.conf"; mount --bind /etc/resolv.conf "$1/etc/resolv.conf"
      printf '#!/bin/sh\\nexit 101\\n' > "$1/run/policy-rc.d"; chmod 755 "$1/run/policy-rc.d"
      ln -sfn /run/policy-rc.d "$1/usr/sbin/policy-rc.d"
      chroot "$1" sh -euc "$2"`;
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
    await runProgram('unshare', [...namespaces, 'sh', '-euc', script, 'sh', root, commands]);
  });
}

export const UPDATE_LISTS = 'apt-get -qq update';
export const DOWNLOAD = 'apt-get -qq -y --download-only upgrade';
export const UPGRADE =
  'apt-get -qq -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold upgrade';

/** Builds the images in a folder; the bootstrapped tree is kept in the cache for the next time. */
export async function makeImages(
  folder: string,
  cacheFolder: string,
  tell: (line: string) => void,
): Promise<Images> {
  tell('bootstrapping Debian 12 with nginx (kept in the cache)');
  const banner = await buildBannerPackage('1.0', folder);
  const tree = await bootstrapTree({ name: 'web', packages: ['nginx-light'] }, banner, cacheFolder);
  const sources = aptSources(true)
    .split('\n')
    .filter((line) => !line.includes('repository.local'));
  const base = await makeBaseDisks(EXT4, tree, sources.join('\n'), [path.join(folder, 'base.raw')]);
  const images = {
    before: path.join(folder, 'before.raw'),
    after: path.join(folder, 'after.raw'),
    member: path.join(folder, 'member.raw'),
  };
  await makeMachineDisks(base, [images.before], { name: 'web-1', change: 'none' });
  await makeMachineDisks(base, [images.member], { name: 'web-2', change: 'none' });
  await removeDisks(base);
  tell('updating the representative with apt-get upgrade');
  await copySparse(images.before, images.after);
  await inImage(images.after, `${UPDATE_LISTS}; ${UPGRADE}`);
  return images;
}

export async function copySparse(from: string, to: string): Promise<void> {
  await runProgram('cp', ['--sparse=always', '--reflink=auto', from, to]);
}
