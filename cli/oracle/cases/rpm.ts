import path from 'node:path';
import { smallFleet } from '../../../local/fleet/fleet-machines';
import { publishNewRpms } from '../../../local/fleet/rpm-packages';
import { RPM_SYSTEM } from '../../../local/fleet/rpm-system';
import type { OracleCase } from './oracle-case';

/** Pending updates of machines of rpm and dnf. */
export const rpm: OracleCase = {
  name: 'rpm',
  about:
    'all pending updates of machines of rpm and dnf: their databases in SQLite, a scriptlet, a new dependency',
  machines: () => smallFleet(RPM_SYSTEM),
  update: { name: 'rpm', kind: 'packages', select: 'all' },
  pending: 'nothing',
  publish: (repositoryFolder) => publishNewRpms(path.join(repositoryFolder, 'rpm')),
  online: ['dnf -q -y upgrade'],
  named: [
    {
      pattern: /^\/(usr\/lib\/sysimage\/rpm\/rpmdb|var\/lib\/dnf\/history)\.sqlite-(wal|shm)$/,
      shown: '/usr/lib/sysimage/rpm/rpmdb.sqlite-wal, /var/lib/dnf/history.sqlite-wal, *.sqlite-shm',
      reason:
        'the newest pages of the database beside it, which is compared with them, record by record; patched offline, it has them itself',
    },
    {
      pattern: /^\/var\/cache\/dnf(\/|$)/,
      shown: '/var/cache/dnf/**',
      reason: 'a cache that dnf fills again when it is next used',
    },
    {
      pattern: /^\/var\/lib\/dnf\/repos(\/|$)/,
      shown: '/var/lib/dnf/repos/**',
      reason: 'says how long this machine has asked for updates',
    },
  ],
  installed: 'fleet-banner-1.1-1',
  same: [
    'rpm -qa | sort; rpm --verifydb; rpm -Va',
    'dnf -q -C repoquery --installed --qf "%{name} %{reason} %{from_repo}"',
    'fleet-banner; fleet-new; cat /etc/fleet.list',
  ],
};
