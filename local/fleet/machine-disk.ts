import { access, appendFile, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { BaseTree, PackageSet } from './base-tree';
import type { DiskLayout } from './disk-layout';
import { copyDisks, fstabOf, giveUuids, makeDisks, withMounted, type MachineDisks } from './make-disks';
import { BANNER_CONFIGURATION } from './package-repository';
import { installExtraRpm } from './rpm-system';
import { runProgram } from './run-program';

/** What makes one machine of a package set differ from its siblings beyond its identity. */
export type LocalChange = 'none' | 'edited-configuration' | 'extra-package';

/** A package with a user and a group of its own, so that it shares record files with everything else. */
const EXTRA_PACKAGE = 'uuid-runtime';

/**
 * Makes the disks of one package set: sparse files of a layout, filled by the kernel. Mounts are made in the caller's
 * mount namespace, which must be private.
 */
export async function makeBaseDisks(
  layout: DiskLayout,
  tree: BaseTree,
  sources: string,
  files: readonly string[],
  becomes?: PackageSet['becomes'],
): Promise<MachineDisks> {
  const made = await makeDisks(layout, files);
  await withMounted(made, async (root) => {
    const unpack = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-xf', tree.tarFile];
    await runProgram('tar', ['-C', root, ...unpack]);
    await writeFile(path.join(root, 'etc/apt/sources.list'), sources);
    await writeFile(path.join(root, 'etc/fstab'), fstabOf(made));
    // The emulated agent gives commands a proxy; names of the mirrors are resolved there.
    await writeFile(path.join(root, 'etc/resolv.conf'), '');
    await becomes?.(root);
  });
  return made;
}

/** Makes disks of another layout with the very tree of `base`. */
export async function makeSameTree(
  base: MachineDisks,
  layout: DiskLayout,
  files: readonly string[],
): Promise<MachineDisks> {
  const made = await makeDisks(layout, files);
  await withMounted(base, (from) =>
    withMounted(made, (to) => runProgram('cp', ['--archive', `${from}/.`, `${to}/`])),
  );
  return made;
}

/**
 * Makes the disks of one machine from the disks of its package set: copies, by reflink where the storage can, with
 * filesystem UUIDs, host name, machine-id and SSH host keys of its own.
 */
export async function makeMachineDisks(
  base: MachineDisks,
  files: readonly string[],
  machine: { name: string; change: LocalChange },
): Promise<MachineDisks> {
  const disks = await giveUuids(await copyDisks(base, files));
  await withMounted(disks, async (root) => {
    const file = (name: string): string => path.join(root, name);
    await writeFile(file('etc/fstab'), fstabOf(disks));
    await writeFile(file('etc/hostname'), `${machine.name}\n`);
    await writeFile(
      file('etc/hosts'),
      `127.0.0.1 localhost\n127.0.1.1 ${machine.name}.example.internal ${machine.name}\n`,
    );
    await writeFile(file('etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
    if (await hasSshServer(root)) {
      await runProgram('sh', ['-c', 'rm -f "$1"/etc/ssh/ssh_host_*_key*', 'sh', root]);
      await runProgram('ssh-keygen', ['-A', '-q', '-f', root]);
      for (const name of await hostKeyComments(root)) await relabelHostKey(name, machine.name);
    }
    if (machine.change === 'edited-configuration') {
      await appendFile(
        file(BANNER_CONFIGURATION),
        '# kept by hand on this machine\ngreeting="Good morning"\n',
      );
    }
    if (machine.change === 'extra-package')
      await ((await hasDpkg(root)) ? installExtraPackage(root) : installExtraRpm(root));
  });
  return disks;
}

const hasDpkg = (root: string): Promise<boolean> => exists(path.join(root, 'var/lib/dpkg/status'));

const hasSshServer = (root: string): Promise<boolean> => exists(path.join(root, 'usr/sbin/sshd'));

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

async function hostKeyComments(root: string): Promise<string[]> {
  const listing = await runProgram('find', [path.join(root, 'etc/ssh'), '-name', 'ssh_host_*_key.pub']);
  return listing.split('\n').filter((line) => line !== '');
}

/** ssh-keygen writes the build host's name into the key's comment; a machine's own key carries its own. */
async function relabelHostKey(publicKey: string, machineName: string): Promise<void> {
  const [type, key] = (await readFile(publicKey, 'utf8')).split(' ');
  await writeFile(publicKey, `${type} ${key} root@${machineName}\n`);
}

async function installExtraPackage(root: string): Promise<void> {
  // The machine's own apt, in a mount namespace of its own: what it starts and mounts ends with it. A policy keeps it from starting services.
  await runProgram('unshare', [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--propagation',
    'private',
    'sh',
    '-c',
    `set -e
     mount -t proc proc "$1/proc"
     cp /etc/resolv.conf "$1/etc/resolv.conf"
     printf '#!/bin/sh\\nexit 101\\n' > "$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"
     sed 's/^deb .*\\(security\\|repository.local\\).*$//' "$1/etc/apt/sources.list" > "$1/etc/apt/bootstrap.list"
     chroot "$1" apt-get -qq -o Dir::Etc::SourceList=/etc/apt/bootstrap.list -o Dir::Etc::SourceParts=/dev/null update
     chroot "$1" apt-get -qq -y -o Dir::Etc::SourceList=/etc/apt/bootstrap.list -o Dir::Etc::SourceParts=/dev/null install --no-install-recommends ${EXTRA_PACKAGE} >/dev/null
     chroot "$1" apt-get clean
     rm -f "$1/usr/sbin/policy-rc.d" "$1/etc/apt/bootstrap.list"
     rm -f "$1"/var/lib/apt/lists/*_*
     : > "$1/etc/resolv.conf"`,
    'sh',
    root,
  ]);
}
