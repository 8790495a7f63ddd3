import type { PackagesUpdate } from './update';

type Select = PackagesUpdate['select'];

/** Printed when there was nothing to do, so that a log tells it from an update that did nothing. */
const NOTHING_PENDING = 'imageelves: nothing is pending';

/**
 * Installs pending updates with the machine's own package manager, which alone knows its sources and rules. It changes
 * what is installed and nothing else: no package is added that an update does not need, and no settings are touched;
 * configuration files that were changed locally are kept, as an unattended upgrade does.
 */
export function packagesScript(select: Select): string[] {
  return [
    'set -eu',
    'if command -v apt-get >/dev/null 2>&1; then',
    ...indented(aptScript(select)),
    'elif command -v dnf >/dev/null 2>&1; then',
    ...indented(dnfScript('dnf', select)),
    'elif command -v yum >/dev/null 2>&1; then',
    ...indented(dnfScript('yum', select)),
    'else',
    '  echo "imageelves: neither apt-get, dnf nor yum is on this machine" >&2',
    '  exit 1',
    'fi',
  ];
}

/**
 * Ubuntu gives some updates to a part of all machines first, chosen by their machine-id (apt_preferences(5), "Phased
 * Updates"): what one machine gets would tell nothing about the next. So all get them when they are given to all.
 */
const PHASING =
  '-o APT::Get::Always-Include-Phased-Updates=false -o APT::Get::Never-Include-Phased-Updates=true';

/** Waits for another package manager (unattended-upgrades at boot) instead of failing; 10 minutes. */
const APT = `apt-get -o DPkg::Lock::Timeout=600 ${PHASING}`;

/**
 * Of itself it ends well when a source cannot be reached, and then nothing would seem to be pending. The lists have a lock of
 * their own, for which apt does not wait; apt-daily.service holds it at any time of a day. 120 times 5 seconds.
 */
const APT_UPDATE = [
  'tries=0',
  'while :; do',
  '  code=0',
  `  said=$(${APT} -q -o APT::Update::Error-Mode=any update 2>&1) || code=$?`,
  '  if [ "$code" -eq 0 ]; then break; fi',
  '  case "$said" in *lists/lock*) tries=$((tries + 1)) ;; *) tries=120 ;; esac',
  `  if [ "$tries" -ge 120 ]; then printf '%s\\n' "$said" >&2; exit "$code"; fi`,
  '  sleep 5',
  'done',
  `printf '%s\\n' "$said"`,
];

function aptScript(select: Select): string[] {
  return [
    'export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l APT_LISTCHANGES_FRONTEND=none',
    'set -- -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold',
    ...APT_UPDATE,
    // dpkg itself waits for nobody: what another package manager is in the middle of is nothing to be mended.
    `${APT} -q check >/dev/null 2>&1 || true`,
    // What a run that was cut off, by a reboot or a time-out, left unconfigured.
    'if [ -n "$(dpkg --audit)" ]; then dpkg --force-confdef --force-confold --configure -a; fi',
    ...aptSelection(select),
  ];
}

function aptSelection(select: Select): string[] {
  // First into a variable: a pipeline ends with its last command's exit code, and would hide apt-get's.
  const simulate = `plan=$(${APT} -q -s --with-new-pkgs upgrade)`;
  if (select === 'all') {
    return [
      simulate,
      "pending=$(printf '%s\\n' \"$plan\" | sed -n 's/^Inst \\([^ ]*\\).*/\\1/p')",
      ...ifPending(`${APT} "$@" --with-new-pkgs upgrade`),
    ];
  }
  if (select === 'security') {
    return [
      simulate,
      // Lines like "Inst name [old] (new Debian-Security:12/stable-security [amd64])"; what is new has no [old].
      `pending=$(printf '%s\\n' "$plan" | sed -n '/^Inst [^ ]* \\[.*([^)]*[Ss]ecurity/s/^Inst \\([^ ]*\\).*/\\1/p')`,
      ...ifPending(...upgradePending),
    ];
  }
  return [
    ...installedOf(
      select,
      `dpkg-query -W -f='\${db:Status-Status} ' "$package" 2>/dev/null`,
      'installed\\ *|*\\ installed\\ *',
    ),
    ...ifPending(...upgradePending),
  ];
}

/** Naming a package to apt marks it as installed by hand; what was installed automatically stays so (apt-mark(8)). */
const upgradePending = [
  'automatic=$(apt-mark showauto $pending)',
  'code=0',
  `${APT} "$@" --only-upgrade install $pending || code=$?`,
  'if [ -n "$automatic" ]; then apt-mark -qq auto $automatic >/dev/null; fi',
  'if [ "$code" -ne 0 ]; then exit "$code"; fi',
];

function dnfScript(tool: 'dnf' | 'yum', select: Select): string[] {
  const scope = select === 'security' ? ' --security' : '';
  const upgrade = tool === 'dnf' ? 'upgrade' : 'update';
  if (Array.isArray(select)) {
    return [
      ...installedOf(select, 'rpm -q "$package" >/dev/null 2>&1 && echo installed', 'installed'),
      ...ifPending(`${tool} -y ${upgrade} $pending`),
    ];
  }
  return [
    'code=0',
    `${tool} -q -y${scope} check-update || code=$?`,
    // 100 when something is pending, 0 when nothing is, anything else is an error.
    'if [ "$code" -eq 100 ]; then',
    `  ${tool} -y${scope} ${upgrade}`,
    'elif [ "$code" -eq 0 ]; then',
    `  echo "${NOTHING_PENDING}"`,
    'else',
    '  exit "$code"',
    'fi',
  ];
}

/** Those of the names that are installed here: an update installs nothing that was not. */
function installedOf(names: readonly string[], query: string, installed: string): string[] {
  return [
    'pending=',
    `for package in ${names.map(quoted).join(' ')}; do`,
    `  status=$(${query} || true)`,
    `  case "$status" in ${installed}) pending="$pending $package" ;; esac`,
    'done',
  ];
}

function ifPending(...commands: string[]): string[] {
  return ['if [ -n "$pending" ]; then', ...indented(commands), 'else', `  echo "${NOTHING_PENDING}"`, 'fi'];
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
