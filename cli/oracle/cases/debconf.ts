import { INSTALL, smallCase, UNATTENDED } from './small-case';

/** Two packages that ask, and make files of the answers; the second keeps them in ucf's registry. */
export const debconf = smallCase({
  name: 'debconf',
  about: 'install locales and unattended-upgrades with answers given to debconf; set the time zone by it',
  commands: [
    UNATTENDED,
    'apt-get -qq update',
    "debconf-set-selections <<'END'",
    'locales locales/locales_to_be_generated multiselect de_AT.UTF-8 UTF-8, en_GB.UTF-8 UTF-8',
    'locales locales/default_environment_locale select en_GB.UTF-8',
    'unattended-upgrades unattended-upgrades/enable_auto_updates boolean true',
    'END',
    `${INSTALL} locales unattended-upgrades`,
    'ln -sf /usr/share/zoneinfo/Europe/Vienna /etc/localtime',
    'dpkg-reconfigure --frontend=noninteractive tzdata',
  ],
  named: [],
  units: ['unattended-upgrades'],
  same: [
    'locale -a',
    'LC_ALL=de_AT.UTF-8 date -d 2026-03-01 +%B',
    'debconf-show locales unattended-upgrades tzdata | sort',
    'cat /etc/timezone /etc/default/locale /etc/apt/apt.conf.d/20auto-upgrades',
    'readlink /etc/localtime',
  ],
});
