import type { PackageSet } from '../../../local/fleet/base-tree';
import { smallCase, UNATTENDED } from './small-case';

/** Machines that have what is removed or purged. */
export const WITH_DNSMASQ: PackageSet = { name: 'dnsmasq', packages: ['dnsmasq'] };

export const remove = smallCase({
  name: 'remove',
  about: 'remove dnsmasq and what only it needed; its configuration and its user stay',
  set: WITH_DNSMASQ,
  commands: [UNATTENDED, 'apt-get -qq -y --autoremove remove dnsmasq'],
  named: [],
  same: ['! systemctl is-active dnsmasq', 'id dnsmasq', "dpkg-query -W -f '${db:Status-Abbrev}' dnsmasq"],
});
