import { INSTALL, smallCase, UNATTENDED } from './small-case';

/** A package with a user and a unit that is enabled and started. */
export const service = smallCase({
  name: 'service',
  about: 'install dnsmasq: a user of its own, a unit that is enabled and started',
  commands: [UNATTENDED, 'apt-get -qq update', `${INSTALL} dnsmasq`],
  named: [],
  units: ['dnsmasq'],
  same: ['systemctl is-enabled dnsmasq', 'id dnsmasq', 'stat -c "%U:%G %a" /var/lib/misc /run/dnsmasq'],
});
