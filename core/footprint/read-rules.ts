import { VOLATILE_PATHS, type VolatileRule, volatileRule } from '../capture/volatile-paths';

interface ReadRule extends VolatileRule {
  /** Read by the way by updates; a check that reads it asks what it says, and then it counts. */
  readonly countsForChecks?: true;
}

/**
 * Which of the entries that programs read on their way say nothing about the outcome of an update. What the update's own
 * commands name counts in any case. `*` stands for part of a name, `**` for any number of names below.
 */
const IGNORED_READS: readonly ReadRule[] = [
  { pattern: '/usr/share/man/**', reason: 'manual pages are read to make the index of them' },
  { pattern: '/usr/local/share/man/**', reason: 'manual pages are read to make the index of them' },
  { pattern: '/usr/share/doc/**', reason: 'documentation' },
  { pattern: '/usr/share/info/**', reason: 'documentation' },
  { pattern: '/usr/share/locale/**', reason: 'the language of messages' },
  { pattern: '/usr/share/i18n/**', reason: 'the language of messages' },
  { pattern: '/usr/lib/locale/**', reason: 'the language of messages' },
  { pattern: '/etc/locale.alias', reason: 'the language of messages' },
  { pattern: '/etc/default/locale', reason: 'the language of messages', countsForChecks: true },
  { pattern: '/etc/locale.conf', reason: 'the language of messages', countsForChecks: true },
  { pattern: '/usr/lib/**/gconv/**', reason: 'the language of messages' },
  { pattern: '/usr/share/zoneinfo/**', reason: 'the time zone shows in logs', countsForChecks: true },
  { pattern: '/etc/localtime', reason: 'the time zone shows in logs', countsForChecks: true },
  { pattern: '/etc/timezone', reason: 'the time zone shows in logs', countsForChecks: true },
  { pattern: '/usr/share/terminfo/**', reason: 'how a terminal shows text' },
  { pattern: '/usr/lib/terminfo/**', reason: 'how a terminal shows text' },
  { pattern: '/etc/terminfo/**', reason: 'how a terminal shows text' },
  { pattern: '**/__pycache__/**', reason: 'made from the .py beside it' },

  { pattern: '/etc/hosts', reason: 'the network of this machine', countsForChecks: true },
  { pattern: '/etc/hostname', reason: 'the machine’s own name' },
  { pattern: '/etc/host.conf', reason: 'the network of this machine', countsForChecks: true },
  { pattern: '/etc/gai.conf', reason: 'the network of this machine', countsForChecks: true },
  { pattern: '/etc/networks', reason: 'the network of this machine', countsForChecks: true },
  { pattern: '/etc/services', reason: 'the network of this machine', countsForChecks: true },
  { pattern: '/etc/protocols', reason: 'the network of this machine', countsForChecks: true },
  { pattern: '/etc/fstab', reason: 'mounts are compared by what stands on them', countsForChecks: true },

  { pattern: '/var/lib/dpkg/info/**', reason: 'the package database, of which the packages touched count' },
  { pattern: '/var/lib/dpkg/triggers/Unincorp', reason: 'the queue of a running dpkg' },
  { pattern: '/var/lib/rpm/**', reason: 'the package database, of which the packages touched count' },
  {
    pattern: '/usr/lib/sysimage/rpm/**',
    reason: 'the package database, of which the packages touched count',
  },
  { pattern: '/var/lib/dnf/**', reason: 'the package database, of which the packages touched count' },
  { pattern: '/etc/ld.so.cache', reason: 'where libraries stand; the libraries count themselves' },
  {
    pattern: '/etc/ld.so.conf',
    reason: 'what the update adds to the cache of libraries does not depend on the rest',
  },
  {
    pattern: '/etc/ld.so.conf.d/**',
    reason: 'what the update adds to the cache of libraries does not depend on the rest',
  },
  {
    pattern: '/etc/ssl/certs/**',
    reason: 'made from the certificates; what the update adds does not depend on the rest',
  },
  {
    pattern: '/usr/share/ca-certificates/**',
    reason: 'certificates of the package, which is compared itself',
  },
  { pattern: '/usr/share/mime/**', reason: 'made from what packages bring' },

  {
    pattern: '/etc/apt/apt.conf.d/20auto-upgrades',
    reason: 'says when daily jobs run',
    countsForChecks: true,
  },
  {
    pattern: '/etc/apt/apt.conf.d/50unattended-upgrades',
    reason: 'says what the daily job does',
    countsForChecks: true,
  },
  { pattern: '/etc/apt/apt.conf.d/10periodic', reason: 'says when daily jobs run', countsForChecks: true },
  {
    pattern: '/etc/apt/apt.conf.d/01autoremove*',
    reason: 'lists packages that are not removed by themselves',
  },
  { pattern: '/etc/apt/apt.conf.d/20listchanges', reason: 'shows changes to people', countsForChecks: true },
  { pattern: '/etc/apt/apt.conf.d/20packagekit', reason: 'tells a daemon of changes', countsForChecks: true },
  {
    pattern: '/etc/apt/apt.conf.d/50command-not-found',
    reason: 'makes an index for people',
    countsForChecks: true,
  },
  { pattern: '/etc/apt/apt.conf.d/50appstream', reason: 'makes an index for people', countsForChecks: true },
  { pattern: '/etc/apt/listchanges.conf', reason: 'shows changes to people', countsForChecks: true },
  { pattern: '/etc/apt/auth.conf.d/**', reason: 'passwords of package sources' },
  { pattern: '/etc/manpath.config', reason: 'says where the index of manual pages looks' },
];

/**
 * Directories of which the names count although nobody asked for one: what stands in them takes part. Of all others below
 * /usr and /var only files count that were read.
 */
const LISTED_FOLDERS: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  {
    pattern: /^\/etc\/(?!rc[0-9S]\.d$|init\.d$|alternatives$|systemd\/|pam\.d$|default$|profile\.d$).+\.d$/,
    reason: 'settings in pieces',
  },
  { pattern: /^\/etc\/(kernel|initramfs-tools)\/.+$/, reason: 'hooks of kernel packages' },
  {
    pattern: /^\/usr\/(share\/initramfs-tools|lib\/kernel\/install\.d|lib\/dracut)(\/.+)?$/,
    reason: 'hooks of kernel packages',
  },
  // glob(7) over the macros (rpm(8), "MACRO CONFIGURATION").
  { pattern: /^\/etc\/rpm$/, reason: 'settings of rpm' },
  { pattern: /^\/usr\/share\/pam-configs$/, reason: 'of these the configuration of PAM is made' },
  { pattern: /^\/etc\/(yum\.repos\.d|dnf(\/.*)?|apt\/.*)$/, reason: 'sources of packages' },
  { pattern: /^\/(opt|srv|root|home)(\/.*)?$/, reason: 'no package brought what stands here' },
];

/** Packages whose part in an update is to make their cache anew, which every machine does for itself. */
export const CACHE_PACKAGES: ReadonlyMap<string, string> = new Map([
  ['man-db', 'it makes its index of manual pages anew'],
  ['fontconfig', 'it makes its cache of fonts anew'],
  ['plocate', 'it makes its index of names anew'],
  ['mlocate', 'it makes its index of names anew'],
]);

const ignored = volatileRule([...VOLATILE_PATHS, ...IGNORED_READS]);
const ignoredByChecks = volatileRule([
  ...VOLATILE_PATHS,
  ...IGNORED_READS.filter(({ countsForChecks }) => countsForChecks !== true),
]);

/**
 * Why an entry that was read says nothing about the outcome; undefined for one that may.
 *
 * @param updateKind what a check reads is what it asks for
 */
export function ignoredRead(path: string, updateKind: string): string | undefined {
  return (isCheck(updateKind) ? ignoredByChecks(path) : ignored(path))?.reason;
}

const isCheck = (updateKind: string): boolean => updateKind === 'compliance';

/** Tables that say something to checks whose programs read them; accounts and packages are asked for by name. */
const CHECKED_TABLES =
  /^\/etc\/(g?shadow|sub[ug]id|shells|ca-certificates\.conf)$|^\/var\/lib\/(apt\/extended_states$|dpkg\/(statoverride$|alternatives\/))|\/grubenv$/;

export function isCheckedTable(path: string, updateKind: string): boolean {
  return isCheck(updateKind) && CHECKED_TABLES.test(path);
}

/** Why the names in a directory count; undefined for one of which they do not. */
export function listedFolder(path: string): string | undefined {
  return LISTED_FOLDERS.find(({ pattern }) => pattern.test(path))?.reason;
}

/** For the documentation, which is generated from the tables. */
export const READ_RULES = { ignored: IGNORED_READS, listed: LISTED_FOLDERS, cachePackages: CACHE_PACKAGES };
