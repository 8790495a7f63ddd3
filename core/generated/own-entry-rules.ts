/** Entries of which every machine must have one of its own, and what it comes to when an update makes them. */
export interface OwnEntryRule {
  readonly name: string;
  readonly path: RegExp;
  /** Only symbolic links that lead there. */
  readonly target?: RegExp;
  /** Says why they are never copied. */
  readonly reason: string;
  /**
   * What a machine patched offline needs when the update made the entry: a generator (core/generated/generators.ts) that
   * makes one there, or the update itself.
   */
  readonly whenNew: 'generated' | 'only-online';
  /** What becomes of a change to one that was there. Data changes whenever its server runs; a secret does not. */
  readonly whenChanged: 'left-out' | 'left-out-with-warning' | 'only-online';
  /** What becomes of its removal, which no digest can tell: every machine has another one. */
  readonly whenRemoved: 'removed-at-boot' | 'left-out' | 'only-online';
}

const SECRET = 'a secret that no two machines may share';
const DATA = 'data of a server on one machine';

export const OWN_ENTRY_RULES: readonly OwnEntryRule[] = [
  {
    // sshd(8)
    name: 'ssh-host-keys',
    path: /^\/etc\/ssh\/ssh_host_[a-z0-9]+_key(\.pub)?$/,
    reason: 'two machines must never have the same SSH host key',
    whenNew: 'generated',
    whenChanged: 'left-out-with-warning',
    whenRemoved: 'removed-at-boot',
  },
  {
    // make-ssl-cert(8), of the package ssl-cert
    name: 'snakeoil-certificate',
    path: /^\/etc\/ssl\/(certs\/ssl-cert-snakeoil\.pem|private\/ssl-cert-snakeoil\.key)$/,
    reason: "a self-signed certificate holds its machine's name, and its key is secret",
    whenNew: 'generated',
    whenChanged: 'left-out-with-warning',
    whenRemoved: 'removed-at-boot',
  },
  {
    // The link's own name is a digest of the certificate's subject (openssl-rehash(1)).
    name: 'snakeoil-certificate',
    path: /^\/etc\/ssl\/certs\/[0-9a-f]{8}\.\d{1,4}$/,
    target: /^(\/etc\/ssl\/certs\/)?ssl-cert-snakeoil\.pem$/,
    reason: 'leads to the self-signed certificate of one machine',
    whenNew: 'generated',
    whenChanged: 'left-out',
    whenRemoved: 'removed-at-boot',
  },
  {
    // Says which version the data of a cluster have; without it there is no cluster.
    name: 'postgresql-clusters',
    path: /^\/var\/lib\/postgresql\/[0-9.]+\/[A-Za-z0-9_.-]+\/PG_VERSION$/,
    reason: 'a database cluster holds the identifier and the data of one machine',
    whenNew: 'generated',
    whenChanged: 'left-out',
    whenRemoved: 'only-online',
  },
  {
    // pg_createcluster(1)
    name: 'postgresql-clusters',
    path: /^\/(etc|var\/lib)\/postgresql\/[0-9]+(\.[0-9]+)?\/[A-Za-z0-9_.-]+(\/|$)/,
    reason: 'a database cluster holds the identifier and the data of one machine',
    whenNew: 'generated',
    whenChanged: 'left-out',
    whenRemoved: 'left-out',
  },
  {
    // dbus-uuidgen(1)
    name: 'dbus-machine-id',
    path: /^\/var\/lib\/dbus\/machine-id$/,
    reason: 'belongs to one machine alone',
    whenNew: 'generated',
    whenChanged: 'left-out',
    whenRemoved: 'removed-at-boot',
  },
  {
    // grub-install(8) on machines that boot by BIOS
    name: 'boot-sectors',
    path: /^\/boot\/grub2?\/i386-pc\/(core|boot)\.img$/,
    reason: 'it also stands in the boot sectors of the disk, outside of all filesystems',
    whenNew: 'only-online',
    whenChanged: 'only-online',
    whenRemoved: 'left-out',
  },
  ...onlyOnline('kerberos-keytabs', /\.keytab$|^\/(etc|var\/lib)\/krb5kdc\//, SECRET, 'only-online'),
  ...onlyOnline('gnupg-private-keys', /\/private-keys-v1\.d\//, SECRET, 'only-online'),
  ...onlyOnline('rndc-key', /^\/etc\/(bind\/)?rndc\.key$/, SECRET, 'only-online'),
  ...onlyOnline('munge-key', /^\/etc\/munge\/munge\.key$/, SECRET, 'only-online'),
  ...onlyOnline('erlang-cookie', /\/\.erlang\.cookie$/, SECRET, 'only-online'),
  ...onlyOnline('tor-identity', /^\/var\/lib\/tor\/.*(secret_key|secret_id_key)$/, SECRET, 'only-online'),
  ...onlyOnline('samba-secrets', /^\/var\/lib\/samba\/private\//, SECRET, 'left-out'),
  ...onlyOnline('mysql-data', /^\/var\/lib\/mysql\//, DATA, 'left-out'),
  ...onlyOnline('mongodb-data', /^\/var\/lib\/mongo(db)?\//, DATA, 'left-out'),
  ...onlyOnline('ldap-data', /^\/var\/lib\/(ldap|dirsrv\/slapd-[^/]+)\//, DATA, 'left-out'),
  ...onlyOnline('container-data', /^\/var\/lib\/(docker|containerd|containers)\//, DATA, 'left-out'),
];

function onlyOnline(
  name: string,
  path: RegExp,
  reason: string,
  whenChanged: 'left-out' | 'only-online',
): OwnEntryRule[] {
  const whenRemoved = whenChanged;
  return [{ name, path, reason, whenNew: 'only-online', whenChanged, whenRemoved }];
}

/**
 * The rule for an entry of which every machine has its own.
 *
 * @param target where it leads, of a symbolic link
 */
export function generatedRule(path: string, target?: string): OwnEntryRule | undefined {
  return OWN_ENTRY_RULES.find(
    (rule) =>
      rule.path.test(path) &&
      (rule.target === undefined || (target !== undefined && rule.target.test(target))),
  );
}

/** Whether it takes the target of a symbolic link to tell whether a rule is for it. */
export function needsTarget(path: string): boolean {
  return OWN_ENTRY_RULES.some((rule) => rule.target !== undefined && rule.path.test(path));
}
