import { WITH_DNSMASQ } from './remove';
import { smallCase, UNATTENDED } from './small-case';

export const purge = smallCase({
  name: 'purge',
  about: 'purge dnsmasq and what only it needed: configuration and enablement links go',
  set: WITH_DNSMASQ,
  commands: [UNATTENDED, 'apt-get -qq -y --autoremove purge dnsmasq dnsmasq-base'],
  named: [],
  same: ['! systemctl cat dnsmasq', '! ls /etc/dnsmasq.conf /etc/dnsmasq.d'],
});
