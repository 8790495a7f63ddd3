import type { CommandsUpdate } from '../../core/update/update';

/** The updates that are run on the fleet, each on the machines as they were built. */
export const UPDATES: readonly CommandsUpdate[] = [
  { name: 'upgrade', kind: 'packages', select: 'security' },
  {
    name: 'settings',
    kind: 'script',
    commands: [
      // Behaves by what it reads and does not write.
      '. /etc/default/locale',
      'mkdir -p /var/lib/app',
      'if grep -qx mode=fast /etc/app/app.conf; then echo cache=on; else echo cache=off; fi > /var/lib/app/state',
      'for hook in /etc/app/hooks.d/*; do sh "$hook"; done >> /var/lib/app/state',
      'case "$LANG" in de_*) echo hallo ;; *) echo hello ;; esac > /var/lib/app/greeting',
      'if dpkg-query -W bench-extra1 >/dev/null 2>&1; then echo with extra1 > /var/lib/app/modules; fi',
      'cp "$(readlink /etc/alternatives/choice)" /var/lib/app/choice',
    ],
  },
  {
    name: 'identity',
    kind: 'script',
    commands: [
      // What it writes holds the machine's own values, and numbers that depend on who has them already.
      'name=$(cat /etc/hostname)',
      'mkdir -p /etc/agent',
      'printf "name = %s\\nlog = /var/log/%s.log\\ntags = server, linux\\n" "$name" "$name" > /etc/agent/agent.conf',
      'printf "id=%s\\n" "$(cat /etc/machine-id)" > /etc/agent/id',
      'sed -n "s/^UUID=\\([^ ]*\\) \\/ .*/root=\\1/p" /etc/fstab > /etc/agent/disk',
      'adduser --quiet --system --group --no-create-home --home /var/lib/agent --shell /usr/sbin/nologin agentd',
      'install -d -o agentd -g agentd -m 750 /var/lib/agent',
      'printf "17 3 * * * agentd /usr/bin/true\\n" > /etc/cron.agent',
    ],
  },
  {
    name: 'purge',
    kind: 'script',
    commands: [
      'if dpkg-query -W bench-beta >/dev/null 2>&1; then DEBIAN_FRONTEND=noninteractive apt-get -q -y purge bench-beta; fi',
    ],
  },
  {
    name: 'check',
    kind: 'compliance',
    commands: [
      'rule_check mode "the application is safe" grep -x mode=safe /etc/app/app.conf',
      'rule_check hooks "no hooks of unknown origin" sh -c \'test "$(ls /etc/app/hooks.d)" = 10-first\'',
      'rule_check alpha "alpha is there" dpkg-query -W bench-alpha',
      'rule_check beta "beta is not there" sh -c "! dpkg-query -W bench-beta"',
      'rule_check owner "settings belong to root" sh -c "test $(stat -c %u:%a /etc/alpha.conf) = 0:644"',
    ],
  },
];
