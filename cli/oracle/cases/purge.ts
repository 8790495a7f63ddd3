import { WITH_DNSMASQ } from './remove';
import { smallCase, UNATTENDED } from './small-case';

export const purge = smallCase({
  name: 'purge',
  about: 'purge dnsmasq and what only it needed: configuration, enablement links and user go',
  set: WITH_DNSMASQ,
  commands: [UNATTENDED, 'apt-get -qq -y --autoremove purge dnsmasq dnsmasq-base'],
  named: [],
  same: ['! systemctl cat dnsmasq', '! id dnsmasq', '! ls /etc/dnsmasq.conf /etc/dnsmasq.d'],
});
