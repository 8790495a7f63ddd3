/**
 * Paths that change while an update runs, but not as its result: they are not captured, so that they neither reach other
 * machines nor keep machines from matching. `*` stands for part of a name, `**` for any number of names below.
 */
export interface VolatileRule {
  readonly pattern: string;
  readonly reason: string;
  /** Every machine needs one of its own: when the update makes it first, patched machines lack it. */
  readonly isOwn?: true;
}

const RUNTIME = 'made anew at every boot';
const LOG = 'a log tells what happened on one machine';
const CACHE = 'a cache that its owner makes again when it needs it';
const IDENTITY = 'belongs to one machine alone';
const SEED = 'two machines must never have the same random seed';
const INDEX = 'an index in shared memory that SQLite makes anew when it opens the database';
const STATE = "state of the machine's own running, not of its software";

export const VOLATILE_PATHS: readonly VolatileRule[] = [
  { pattern: '/dev/**', reason: RUNTIME },
  { pattern: '/proc/**', reason: RUNTIME },
  { pattern: '/sys/**', reason: RUNTIME },
  { pattern: '/run/**', reason: RUNTIME },
  { pattern: '/var/run/**', reason: RUNTIME },
  { pattern: '/var/lock/**', reason: RUNTIME },
  { pattern: '/tmp/**', reason: 'temporary files' },
  { pattern: '/var/tmp/**', reason: 'temporary files' },
  { pattern: '**/lost+found/**', reason: 'what fsck found' },
  { pattern: '/swapfile', reason: 'swap space' },
  { pattern: '/swap.img', reason: 'swap space' },
  { pattern: '/var/swap*', reason: 'swap space' },

  { pattern: '/var/log/**', reason: LOG },
  { pattern: '/var/spool/mail/**', reason: 'mail of this machine' },
  { pattern: '/var/spool/postfix/**', reason: 'queued work of this machine' },
  { pattern: '/var/spool/exim4/**', reason: 'queued work of this machine' },
  { pattern: '/var/spool/mqueue/**', reason: 'queued work of this machine' },
  { pattern: '/var/spool/rsyslog/**', reason: 'queued work of this machine' },
  { pattern: '/var/spool/cups/**', reason: 'queued work of this machine' },
  { pattern: '/var/spool/anacron/**', reason: 'says when jobs last ran here' },
  { pattern: '/var/mail/**', reason: 'mail of this machine' },
  { pattern: '/root/.bash_history', reason: LOG },
  { pattern: '/home/*/.bash_history', reason: LOG },
  { pattern: '/root/.lesshst', reason: LOG },
  { pattern: '/root/.cache/**', reason: CACHE },
  { pattern: '/home/*/.cache/**', reason: CACHE },

  { pattern: '/var/cache/apt/**', reason: CACHE },
  { pattern: '/var/lib/apt/lists/**', reason: 'fetched again by every apt-get update' },
  { pattern: '/var/lib/apt/periodic/**', reason: 'says when apt last ran here' },
  { pattern: '/var/lib/apt/daily_lock', reason: RUNTIME },
  { pattern: '/var/lib/dpkg/lock*', reason: 'a lock; its content means nothing' },
  { pattern: '/var/lib/dpkg/triggers/Lock', reason: 'a lock; its content means nothing' },
  { pattern: '/var/lib/dpkg/updates/**', reason: 'the journal of a running dpkg' },
  { pattern: '/var/backups/**', reason: 'copies that daily jobs make' },
  { pattern: '/var/lib/update-notifier/**', reason: CACHE },
  { pattern: '/var/lib/ubuntu-advantage/**', reason: CACHE },
  { pattern: '/var/lib/command-not-found/**', reason: CACHE },
  { pattern: '/var/lib/PackageKit/**', reason: CACHE },
  { pattern: '/var/cache/PackageKit/**', reason: CACHE },
  { pattern: '/var/cache/dnf/**', reason: CACHE },
  { pattern: '/var/cache/yum/**', reason: CACHE },
  { pattern: '/var/cache/ldconfig/**', reason: CACHE },
  { pattern: '/var/cache/man/**', reason: CACHE },
  { pattern: '/var/cache/fontconfig/**', reason: CACHE },
  { pattern: '/var/cache/private/**', reason: CACHE },
  { pattern: '/var/cache/app-info/**', reason: CACHE },
  { pattern: '/var/lib/mlocate/**', reason: CACHE },
  { pattern: '/var/lib/plocate/**', reason: CACHE },
  { pattern: '/var/lib/logrotate/**', reason: 'says when logs were last rotated here' },

  { pattern: '/etc/machine-id', reason: IDENTITY, isOwn: true },
  { pattern: '/var/lib/dbus/machine-id', reason: IDENTITY, isOwn: true },
  { pattern: '/etc/ssh/ssh_host_*', reason: IDENTITY, isOwn: true },
  { pattern: '/etc/mtab', reason: 'the list of mounts' },
  { pattern: '/etc/resolv.conf', reason: 'written by what configures the network' },
  { pattern: '/etc/adjtime', reason: "drift of this machine's clock" },
  { pattern: '/var/lib/systemd/random-seed', reason: SEED, isOwn: true },
  { pattern: '/var/lib/urandom/**', reason: SEED, isOwn: true },
  { pattern: '/boot/efi/loader/random-seed', reason: SEED, isOwn: true },
  { pattern: '/boot/loader/random-seed', reason: SEED, isOwn: true },
  { pattern: '/var/lib/systemd/credential.secret', reason: IDENTITY, isOwn: true },
  { pattern: '/var/lib/systemd/timers/**', reason: 'says when timers last elapsed here' },
  { pattern: '/var/lib/systemd/timesync/**', reason: "this machine's clock" },
  { pattern: '/var/lib/private/systemd/timesync/**', reason: "this machine's clock" },
  { pattern: '/var/lib/systemd/clock', reason: "this machine's clock" },
  { pattern: '/var/lib/systemd/rfkill/**', reason: STATE },
  { pattern: '/var/lib/systemd/backlight/**', reason: STATE },
  { pattern: '/var/lib/systemd/coredump/**', reason: LOG },
  { pattern: '/var/lib/systemd/pstore/**', reason: LOG },
  { pattern: '/var/lib/systemd/linger/**', reason: STATE },
  { pattern: '/var/lib/chrony/**', reason: "this machine's clock" },
  { pattern: '/var/lib/ntp/**', reason: "this machine's clock" },
  { pattern: '/var/lib/dhcp/**', reason: 'leases of this machine' },
  { pattern: '/var/lib/dhcpcd/**', reason: 'leases of this machine' },
  { pattern: '/var/lib/dhclient/**', reason: 'leases of this machine' },
  { pattern: '/var/lib/NetworkManager/**', reason: STATE },
  { pattern: '/var/lib/misc/**', reason: STATE },
  { pattern: '/var/lib/amazon/ssm/**', reason: 'state of the SSM agent' },
  { pattern: '/var/snap/amazon-ssm-agent/**', reason: 'state of the SSM agent' },
  { pattern: '/var/lib/cloud/**', reason: 'state of cloud-init, which belongs to one instance' },
  { pattern: '/etc/systemd/system/imageelves-first-boot-*', reason: 'removes itself at the first boot' },
  {
    pattern: '/etc/systemd/system/*.wants/imageelves-first-boot-*',
    reason: 'removes itself at the first boot',
  },
  { pattern: '/etc/.pwd.lock', reason: 'a lock; its content means nothing' },
  { pattern: '/etc/.updated', reason: 'says when this machine last booted after an update' },
  { pattern: '/var/.updated', reason: 'says when this machine last booted after an update' },
  { pattern: '/var/lib/needrestart/**', reason: STATE },
  { pattern: '/var/lib/imageelves', reason: 'what ImageElves itself does on a machine' },
  { pattern: '/var/lib/imageelves/**', reason: 'what ImageElves itself does on a machine' },
  { pattern: '/var/lib/rpm/.rpm.lock', reason: 'a lock; its content means nothing' },
  { pattern: '/usr/lib/sysimage/rpm/.rpm.lock', reason: 'a lock; its content means nothing' },
  { pattern: '/var/lib/rpm/rpmdb.sqlite-shm', reason: INDEX },
  { pattern: '/usr/lib/sysimage/rpm/rpmdb.sqlite-shm', reason: INDEX },
  { pattern: '/var/lib/dnf/history.sqlite-shm', reason: INDEX },
  { pattern: '/var/lib/dnf/rpmdb_lock.pid', reason: 'a lock; its content means nothing' },
  { pattern: '/var/lib/dnf/repos/*/countme', reason: 'says how long this machine has asked for updates' },
  { pattern: '/var/lib/rpm/__db.*', reason: RUNTIME },
];

/** Finds the rule by which a path is left out; undefined for one that is captured. Compiled once for a capture. */
export function volatileRule(rules: readonly VolatileRule[]): (path: string) => VolatileRule | undefined {
  const compiled = rules.map((rule) => ({ expression: expressionOf(rule.pattern), rule }));
  return (path) => compiled.find(({ expression }) => expression.test(path))?.rule;
}

function expressionOf(pattern: string): RegExp {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.+' : part === '*' ? '[^/]*' : escaped(part)))
    .join('')
    // `**/x` also stands for `/x` itself.
    .replace(/^\.\+/, '.*');
  return new RegExp(`^${source}$`, 's');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
