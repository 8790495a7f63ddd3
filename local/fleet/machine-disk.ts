import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { ROOT_OFFSET_BYTES, withRootMounted } from './base-image';
import { BANNER_CONFIGURATION } from './package-repository';
import { runProgram } from './run-program';

/** What makes one machine of a package set differ from its siblings beyond its identity. */
export type LocalChange = 'none' | 'edited-configuration' | 'extra-package';

/** A package with a user and a group of its own, so that it shares record files with everything else. */
const EXTRA_PACKAGE = 'uuid-runtime';

/** Copies a disk: by reflink where the storage can, else its data without the holes. */
export async function copyDisk(from: string, to: string): Promise<void> {
  await runProgram('cp', ['--reflink=auto', '--sparse=always', from, to]);
}

/**
 * Makes the disk of one machine from the disk of its package set: a copy by reflink where the storage can, with its own
 * filesystem UUID, host name, machine-id and SSH host keys.
 */
export async function makeMachineDisk(
  baseDisk: string,
  diskFile: string,
  machine: { name: string; change: LocalChange },
): Promise<void> {
  // Where the storage has no reflinks, copying a sparse disk any other way would fill it up.
  await runProgram('cp', ['--reflink=auto', '--sparse=always', baseDisk, diskFile]);
  const uuid = randomUUID();
  await runProgram('tune2fs', ['-U', uuid, `${diskFile}?offset=${ROOT_OFFSET_BYTES}`]);
  await withRootMounted(diskFile, async (root) => {
    const file = (name: string): string => path.join(root, name);
    await writeFile(file('etc/fstab'), `UUID=${uuid} / ext4 defaults,errors=remount-ro 0 1\n`);
    await writeFile(file('etc/hostname'), `${machine.name}\n`);
    await writeFile(
      file('etc/hosts'),
      `127.0.0.1 localhost\n127.0.1.1 ${machine.name}.example.internal ${machine.name}\n`,
    );
    await writeFile(file('etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
    await runProgram('sh', ['-c', 'rm -f "$1"/etc/ssh/ssh_host_*_key*', 'sh', root]);
    await runProgram('ssh-keygen', ['-A', '-q', '-f', root]);
    for (const name of await hostKeyComments(root)) await relabelHostKey(name, machine.name);
    if (machine.change === 'edited-configuration') {
      await appendFile(
        file(BANNER_CONFIGURATION),
        '# kept by hand on this machine\ngreeting="Good morning"\n',
      );
    }
    if (machine.change === 'extra-package') await installExtraPackage(root);
  });
}

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
