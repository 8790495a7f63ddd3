/**
 * Where an offline patched machine may differ from the same machine updated by its own package manager.
 * Anything else is a defect. docs/oracle.md explains each; a test keeps the two lists equal. A case may have more of its own.
 */
export interface NamedDifference {
  readonly pattern: RegExp;
  readonly shown: string;
  readonly reason: string;
  /** What may differ (TreeDifference.what); without it, anything. */
  readonly only?: readonly string[];
}

export const NAMED_DIFFERENCES: readonly NamedDifference[] = [
  {
    pattern: /^\/var\/log(\/|$)/,
    shown: '/var/log/**',
    reason: 'logs tell what happened on one machine, at its own time',
  },
  {
    pattern: /^\/var\/cache\/apt(\/|$)/,
    shown: '/var/cache/apt/**',
    reason: 'a cache that apt fills again when it is next used',
  },
  {
    pattern: /^\/var\/lib\/apt\/lists(\/|$)/,
    shown: '/var/lib/apt/lists/**',
    reason: 'downloaded indexes, replaced by the next apt-get update',
  },
  {
    pattern: /^\/var\/lib\/apt\/periodic(\/|$)/,
    shown: '/var/lib/apt/periodic/**',
    reason: 'time stamps of apt’s own timers',
  },
  {
    pattern: /^\/var\/cache\/ldconfig\/aux-cache$/,
    shown: '/var/cache/ldconfig/aux-cache',
    reason:
      'ldconfig’s own cache of inode numbers and times; it is checked against the disk and written anew',
  },
  {
    pattern: /^\/var\/lib\/systemd(\/|$)/,
    shown: '/var/lib/systemd/**',
    reason: 'random seed, timer stamps and state of the boot that only the online machine went through',
  },
  {
    pattern: /^\/(run|tmp|var\/tmp|proc|sys|dev)(\/|$)/,
    shown: '/run, /tmp, /var/tmp, /proc, /sys, /dev',
    reason: 'temporary or not on the disk',
  },
  { pattern: /^\/etc\/resolv\.conf$/, shown: '/etc/resolv.conf', reason: 'written when a machine boots' },
  {
    pattern: /^\/etc\/\.(updated|pwd\.lock)$|^\/var\/\.updated$/,
    shown: '/etc/.updated, /var/.updated, /etc/.pwd.lock',
    reason: 'stamps of a boot and of a lock',
  },
  {
    pattern: /^\/var\/lib\/dpkg\/(lock|lock-frontend|triggers\/Lock)$/,
    shown: '/var/lib/dpkg/lock*',
    reason: 'lock files, empty',
  },
  {
    pattern: /^\/root\/|^\/var\/lib\/(amazon|private)(\/|$)/,
    shown: '/root/**, /var/lib/amazon/**, /var/lib/private/**',
    reason: 'what the agent or a shell left behind while the machine ran',
  },
];

/** The rule that allows this path to differ so, if any. */
export function namedDifference(
  path: string,
  what: string,
  rules: readonly NamedDifference[],
): NamedDifference | undefined {
  return rules.find(({ pattern, only }) => pattern.test(path) && (only === undefined || only.includes(what)));
}
