import { checkScript } from '../../../core/compliance/check-script';
import { smallCase } from './small-case';

const RULES = [
  'RULE_SEVERITY=HIGH',
  "rule_check ssh.no-root-login 'root may not log in by SSH' grep -qiE '^PermitRootLogin +no' /etc/ssh/sshd_config",
  "rule_check ssh.no-empty-passwords 'no empty passwords by SSH' sh -c '! grep -qiE \"^PermitEmptyPasswords +yes\" /etc/ssh/sshd_config'",
  'rule_check accounts.one-root \'only root has user id 0\' sh -c \'[ "$(awk -F: "\\$3 == 0" /etc/passwd | cut -d: -f1)" = root ]\'',
  "rule_check accounts.no-empty-password 'every account has a password or is locked' sh -c '! cut -d: -f2 /etc/shadow | grep -qx \"\"'",
  "rule_check accounts.umask 'the default umask is 027' grep -qE '^UMASK[[:space:]]+027' /etc/login.defs",
  'RULE_SEVERITY=MEDIUM',
  "rule_check banner.no-version 'the banner does not tell the system' sh -c '! grep -q Debian /etc/issue.net'",
  "rule_check packages.openssl 'openssl is installed' dpkg-query -W openssl",
  "rule_check packages.no-uuidd 'uuid-runtime is not installed' sh -c '! dpkg-query -W -f \"\\${db:Status-Abbrev}\" uuid-runtime | grep -q ^ii'",
  "rule_check kernel.settings 'settings of the kernel are given' sh -c 'cat /etc/sysctl.d/*.conf | grep -q rp_filter'",
  "rule_check certificates.bundle 'the bundle of certificates has more than 100' sh -c '[ \"$(grep -c BEGIN /etc/ssl/certs/ca-certificates.crt)\" -gt 100 ]'",
];

/** Ten rules, of which one does not hold where the extra package is: that machine must be told apart. */
export const compliance = smallCase({
  name: 'compliance',
  about:
    'a check of ten rules; what it finds on one machine is told of the others as the check run there would tell it',
  kind: 'compliance',
  commands: RULES,
  online: checkScript(RULES),
  named: [],
});
