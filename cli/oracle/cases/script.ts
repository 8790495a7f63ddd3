import { INSTALL, smallCase, UNATTENDED } from './small-case';

/** What administrators' scripts do: accounts, values of the machine in a configuration, rights beyond the mode. */
export const script = smallCase({
  name: 'script',
  about:
    'a script: the machine’s host name and machine-id in files, a user, a cron job, a capability, an ACL',
  commands: [
    UNATTENDED,
    'apt-get -qq update',
    `${INSTALL} acl libcap2-bin`,
    'install -d -m 755 /etc/inventory',
    'printf "[agent]\\nname = %s\\nfqdn = %s\\nid = %s\\n" "$(hostname)" "$(hostname -f)" "$(cat /etc/machine-id)" > /etc/inventory/agent.conf',
    'sed -i "s/^#*PermitRootLogin.*/PermitRootLogin no/; /^Banner/d" /etc/ssh/sshd_config',
    'echo "Banner /etc/issue.$(hostname)" >> /etc/ssh/sshd_config',
    'echo "This is $(hostname). Authorised use only." > "/etc/issue.$(hostname)"',
    'adduser --quiet --system --group --home /var/lib/inventory --shell /usr/sbin/nologin inventory',
    'adduser --quiet --disabled-password --gecos "On-call" oncall',
    'install -d -m 755 /etc/cron.d',
    'echo "17 * * * * inventory /usr/local/bin/inventory-ping > /dev/null" > /etc/cron.d/inventory',
    'install -m 755 /usr/bin/ping /usr/local/bin/inventory-ping',
    'setcap cap_net_raw+ep /usr/local/bin/inventory-ping',
    'install -d -m 750 -o root -g inventory /srv/inventory',
    'setfacl -m u:oncall:rwx -d -m g:inventory:rx /srv/inventory',
  ],
  named: [],
  same: [
    'cat /etc/inventory/agent.conf',
    'id inventory; id oncall',
    'getcap /usr/local/bin/inventory-ping',
    'getfacl -cp /srv/inventory',
    'sshd -T | grep -i -e permitrootlogin -e banner',
    'cat "/etc/issue.$(hostname)"',
  ],
  distinct: ['cat /etc/inventory/agent.conf'],
});
