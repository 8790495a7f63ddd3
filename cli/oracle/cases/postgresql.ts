import { INSTALL, smallCase, UNATTENDED } from './small-case';

/** A database server: users, groups, alternatives, a cluster that belongs to one machine, a key pair of its own. */
export const postgresql = smallCase({
  name: 'postgresql',
  about:
    'install postgresql: accounts, alternatives, a cluster and a key pair that no two machines may share',
  commands: [UNATTENDED, 'apt-get -qq update', `${INSTALL} postgresql`],
  hasFirstBoot: true,
  named: [
    {
      pattern: /^\/var\/lib\/postgresql(\/|$)/,
      shown: '/var/lib/postgresql/**',
      reason: 'the cluster is never copied: each machine makes its own, with its own system identifier',
    },
    {
      pattern: /^\/etc\/ssl\/(certs\/ssl-cert-snakeoil\.pem|private\/ssl-cert-snakeoil\.key)$/,
      shown: '/etc/ssl/certs/ssl-cert-snakeoil.pem, /etc/ssl/private/ssl-cert-snakeoil.key',
      reason: 'a key pair that each machine makes for itself',
      only: ['content'],
    },
    {
      pattern: /^\/var\/lib\/imageelves(\/|$)/,
      shown: '/var/lib/imageelves/**',
      reason: 'what the first boot of a patched machine reports',
    },
  ],
  units: ['postgresql'],
  same: [
    'id postgres',
    'pg_lsclusters -h | tr -s " "',
    'runuser -u postgres -- psql -Atc "select version()"',
    'update-alternatives --query psql.1.gz | head -3; readlink -f /usr/share/man/man1/psql.1.gz',
    'stat -c "%U:%G %a" /var/lib/postgresql/15/main /etc/ssl/private/ssl-cert-snakeoil.key',
  ],
  distinct: [
    'runuser -u postgres -- psql -Atc "select system_identifier from pg_control_system()"',
    'sha256sum < /etc/ssl/private/ssl-cert-snakeoil.key',
  ],
});
