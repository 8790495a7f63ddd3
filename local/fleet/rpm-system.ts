import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PackageSet } from './base-tree';
import { OLD_RPMS } from './rpm-packages';
import { buildRpms, indexRpmRepository } from './rpm-repository';
import { runProgram } from './run-program';

/** On each machine: the packages that it started with, for one more to be installed without the network. */
export const INITIAL_RPMS = '/opt/fleet-rpms';

/**
 * Machines of rpm and dnf: Debian's kernel and programs, which rpm knows nothing of, without apt and dpkg; what is patched
 * are packages of the fleet's own. It stands for the systems of the Red Hat family in what rpm and dnf do and keep.
 */
export const RPM_SYSTEM: PackageSet = {
  name: 'rpm',
  packages: ['rpm', 'dnf'],
  becomes: makeRpmSystem,
};

async function makeRpmSystem(root: string): Promise<void> {
  await buildRpms(OLD_RPMS, path.join(root, INITIAL_RPMS));
  await indexRpmRepository(path.join(root, INITIAL_RPMS));
  const files = {
    // Where Fedora and its kin have it; Debian's rpm has it in the home of whoever runs it.
    'etc/rpm/macros': '%_dbpath /usr/lib/sysimage/rpm\n',
    'etc/dnf/dnf.conf': '[main]\ngpgcheck=0\n',
    'etc/yum.repos.d/fleet.repo':
      '[fleet]\nname=Fleet\nbaseurl=http://repository.local/rpm\nmetadata_expire=0\n',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  await inRoot(root, [
    `dnf -q -y --disablerepo='*' --repofrompath=initial,file://${INITIAL_RPMS} --releasever=1 install imageelves-release fleet-banner fleet-lib`,
    'rm -f /etc/systemd/system/timers.target.wants/*',
    'rm -rf /etc/apt /var/lib/apt /var/lib/dpkg /usr/bin/apt /usr/bin/apt-* /usr/bin/dpkg /usr/bin/dpkg-*',
    'rm -rf /var/cache/dnf /var/cache/apt /var/log/*',
  ]);
}

/** One more package, of those that lie on the machine. */
export function installExtraRpm(root: string): Promise<void> {
  return inRoot(root, [
    `dnf -q -y --disablerepo='*' install ${INITIAL_RPMS}/fleet-extra-1-1.noarch.rpm`,
    'rm -rf /var/cache/dnf /var/log/*',
  ]);
}

/** As the machine's own root, in namespaces of its own: what is started and mounted ends with the commands. */
async function inRoot(root: string, commands: readonly string[]): Promise<void> {
  const script =
    'mount -t proc proc "$1/proc"; chroot "$1" /usr/bin/env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 sh -euc "$2"';
  await runProgram('unshare', [
    ...['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'],
    ...['sh', '-euc', script, 'sh', root, commands.join('\n')],
  ]);
}
