/** What a rule's calls do with their arguments. */
export interface AuditRule {
  /** The end of the rule's key, by which a record tells which rule made it: then numbers of calls need no table. */
  readonly suffix: string;
  /** Of every architecture. */
  readonly calls?: readonly string[];
  /** Not of arm64, which came later. */
  readonly legacy?: readonly string[];
  /** Each may be unknown to an older auditctl or kernel. */
  readonly recent?: readonly string[];
  /** Of 32-bit programs alone. */
  readonly narrow?: readonly string[];
  /** Arguments that hold the directory which a relative name is relative to; without, it is the working directory. */
  readonly folders?: readonly number[];
  /** The argument that holds the flags of open(2). */
  readonly flags?: number;
  /** A further condition, as auditctl(8) has it. */
  readonly filter?: string;
}

/**
 * The calls to ask the kernel's audit for. Copies of descriptors are among them because names are told relative to
 * descriptors: F_DUPFD is 0, F_DUPFD_CLOEXEC 1030.
 */
export const AUDIT_RULES: readonly AuditRule[] = [
  { suffix: 'open', legacy: ['open'], flags: 1 },
  { suffix: 'openat', calls: ['openat'], folders: [0], flags: 2 },
  { suffix: 'openat2', recent: ['openat2'], folders: [0] },
  { suffix: 'creat', legacy: ['creat'] },
  { suffix: 'exec', calls: ['execve'] },
  { suffix: 'execat', recent: ['execveat'], folders: [0] },
  { suffix: 'fork', calls: ['clone'], legacy: ['fork', 'vfork'], recent: ['clone3'] },
  { suffix: 'dup', calls: ['dup', 'dup3'], legacy: ['dup2'] },
  { suffix: 'dup', calls: ['fcntl'], narrow: ['fcntl64'], filter: 'a1=0' },
  { suffix: 'dup', calls: ['fcntl'], narrow: ['fcntl64'], filter: 'a1=1030' },
  { suffix: 'name', legacy: ['unlink', 'rmdir', 'mkdir', 'mknod', 'symlink', 'link', 'rename'] },
  { suffix: 'nameat', calls: ['unlinkat', 'mkdirat', 'mknodat'], folders: [0] },
  { suffix: 'symlinkat', calls: ['symlinkat'], folders: [1] },
  { suffix: 'twonames', calls: ['linkat', 'renameat'], recent: ['renameat2'], folders: [0, 2] },
  { suffix: 'truncate', calls: ['truncate'], narrow: ['truncate64'] },
  {
    suffix: 'attributes',
    calls: [
      ...['setxattr', 'lsetxattr', 'removexattr', 'lremovexattr'],
      ...['fchmod', 'fchown', 'fsetxattr', 'fremovexattr'],
    ],
    legacy: ['chmod', 'chown', 'lchown', 'utime', 'utimes'],
    narrow: ['chown32', 'lchown32', 'fchown32'],
  },
  {
    suffix: 'attributesat',
    calls: ['fchmodat', 'fchownat', 'utimensat'],
    legacy: ['futimesat'],
    recent: ['fchmodat2'],
    folders: [0],
  },
  { suffix: 'root', calls: ['chroot', 'pivot_root'] },
];

/**
 * Rules as auditctl(8) takes them, for calls that succeed, whose keys begin with `key`. Calls that may be unknown have rules
 * of their own: auditctl passes over a rule as a whole.
 */
export function auditRuleLines(key: string): string[] {
  const rule = (arch: string, { suffix, filter }: AuditRule, calls: readonly string[]): string =>
    [
      `exit,always -F arch=${arch}`,
      ...calls.map((call) => `-S ${call}`),
      ...(filter === undefined ? [] : [`-F ${filter}`]),
      `-F success=1 -k ${key}-${suffix}`,
    ].join(' ');
  return ['b64', 'b32'].flatMap((arch) =>
    AUDIT_RULES.flatMap((known) => {
      const recent = (known.recent ?? []).map((call) => [call]);
      const groups = [known.calls ?? [], known.legacy ?? [], ...recent];
      if (arch === 'b32') groups.push(known.narrow ?? []);
      return groups.filter((calls) => calls.length > 0).map((calls) => rule(arch, known, calls));
    }),
  );
}
