import { INSTALL, smallCase, UNATTENDED } from './small-case';

/** Machines without SSH get it: host keys are generated on each, never copied. */
export const opensshServer = smallCase({
  name: 'openssh-server',
  about: 'install openssh-server: host keys are generated on each machine, never copied',
  set: { name: 'without-ssh', packages: [], without: ['openssh-server'] },
  commands: [UNATTENDED, 'apt-get -qq update', `${INSTALL} openssh-server`],
  hasFirstBoot: true,
  named: [
    {
      pattern: /^\/etc\/ssh\/ssh_host_(rsa|ecdsa|ed25519)_key(\.pub)?$/,
      shown: '/etc/ssh/ssh_host_*_key, /etc/ssh/ssh_host_*_key.pub',
      reason: 'keys that each machine makes for itself',
      only: ['content'],
    },
    {
      pattern: /^\/var\/lib\/imageelves(\/|$)/,
      shown: '/var/lib/imageelves/**',
      reason: 'what the first boot of a patched machine reports',
    },
  ],
  same: [
    'sshd -T',
    'ls -l --time-style=+ /etc/ssh/ssh_host_* | awk "{print \\$1, \\$3, \\$4, \\$6}"',
    'id sshd; ssh-keyscan -t ed25519 localhost 2>/dev/null | wc -l',
  ],
  distinct: ['rsa', 'ecdsa', 'ed25519'].map(
    (type) => `ssh-keygen -lf /etc/ssh/ssh_host_${type}_key.pub | cut -d" " -f2`,
  ),
});
