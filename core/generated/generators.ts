import type { Image } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import { changesBeyondCreation, clustersOf } from './postgresql-cluster';

export type DeferredStep = NonNullable<Manifest['deferred']>[number];

/** Makes on each machine what the update made on its representative, when that machine first boots. */
export interface Generator {
  /** Name of the rule whose entries it makes, and id of its step. */
  readonly rule: string;
  /** Without this program on the patched machine it cannot work. */
  readonly program: string;
  readonly reason: string;
  readonly before: readonly string[];
  /**
   * What `sh -e` runs; harmless where the entries are there. Undefined when the paths are none that it can make.
   *
   * @param paths what the update made new on the representative
   */
  commands(paths: readonly string[]): string[] | undefined;
  /** What the update did to the entries that the generator would not do. */
  problems?(paths: readonly string[], after: Image): Promise<string[]>;
}

/** In the order of their steps: a cluster of PostgreSQL speaks TLS when there is a certificate as it is made. */
const generators: readonly Generator[] = [
  {
    rule: 'ssh-host-keys',
    program: '/usr/bin/ssh-keygen',
    reason: 'each machine gets SSH host keys of its own (ssh-keygen)',
    before: ['ssh.service', 'sshd.service', 'ssh.socket', 'sshd.socket'],
    commands: (paths) => allOrNone(keyTypes(paths).map(sshHostKey)),
  },
  {
    rule: 'snakeoil-certificate',
    program: '/usr/sbin/make-ssl-cert',
    reason: 'each machine gets a self-signed certificate of its own (make-ssl-cert)',
    before: ['apache2.service', 'dovecot.service', 'exim4.service', 'nginx.service', 'postfix.service'],
    commands: () => ['make-ssl-cert generate-default-snakeoil'],
  },
  {
    rule: 'postgresql-clusters',
    program: '/usr/bin/pg_createcluster',
    reason: 'each machine gets a database cluster of its own (pg_createcluster)',
    before: ['postgresql.service'],
    commands: (paths) => allOrNone(clustersOf(paths).flatMap(postgresqlCluster)),
    async problems(paths, after) {
      const found = await Promise.all(
        clustersOf(paths).map((cluster) => changesBeyondCreation(after, cluster)),
      );
      return found.flat();
    },
  },
  {
    rule: 'dbus-machine-id',
    program: '/usr/bin/dbus-uuidgen',
    reason: 'D-Bus takes the machine-id of each machine (dbus-uuidgen)',
    before: ['dbus.service', 'dbus.socket'],
    commands: () => ['dbus-uuidgen --ensure'],
  },
];

export function generatorOf(rule: string): Generator | undefined {
  return generators.find((generator) => generator.rule === rule);
}

/** Steps in the order in which they are to be done. */
export function inOrder(steps: readonly DeferredStep[]): DeferredStep[] {
  const place = ({ id }: DeferredStep): number => generators.findIndex(({ rule }) => rule === id);
  return [...steps].sort((a, b) => place(a) - place(b));
}

/** @param commands as made by `generator`, of a rule's paths */
export function deferredStep({ rule, reason, before }: Generator, commands: readonly string[]): DeferredStep {
  return { id: rule, reason, before: [...before], commands: [...commands] };
}

/** Removes from each machine what the update removed of its representative's own. */
export function removalStep(rule: string, paths: readonly string[]): DeferredStep {
  const commands = paths.filter((path) => !SNAKEOIL_LINK.test(path)).map((path) => `rm -f '${path}'`);
  if (commands.length < paths.length)
    commands.push('find /etc/ssl/certs -maxdepth 1 -type l -lname ssl-cert-snakeoil.pem -delete');
  return {
    id: `remove-${rule}`,
    reason: 'the update removed them, and no two machines have the same',
    before: [],
    commands,
  };
}

/** Its name is another one on each machine. */
const SNAKEOIL_LINK = /^\/etc\/ssl\/certs\/[0-9a-f]{8}\.\d+$/;

function allOrNone(commands: readonly string[]): string[] | undefined {
  return commands.length === 0 ? undefined : [...commands];
}

/** ssh-keygen(1) -t; the names of the files end in them (sshd_config(5) HostKey). */
const KEY_TYPES = ['rsa', 'dsa', 'ecdsa', 'ed25519'];

function keyTypes(paths: readonly string[]): string[] {
  return KEY_TYPES.filter((type) => paths.includes(`/etc/ssh/ssh_host_${type}_key`));
}

/** `ssh-keygen -A` would also make types that the update did not. */
function sshHostKey(type: string): string {
  const file = `/etc/ssh/ssh_host_${type}_key`;
  return `[ -s ${file} ] || { rm -f ${file} ${file}.pub; ssh-keygen -q -t ${type} -N '' -f ${file}; }`;
}

/** As the package's own postinst does it, which takes the locale from the machine's settings. */
function postgresqlCluster(cluster: string): string[] {
  const [version, name] = cluster.split('/');
  const settings = `/etc/postgresql/${cluster}`;
  return [
    [
      `if [ ! -e ${settings}/postgresql.conf ]; then`,
      'functions=/usr/share/postgresql-common/maintscripts-functions;',
      'if [ -e "$functions" ]; then . "$functions"; set_system_locale; fi;',
      `pg_createcluster -u postgres --no-status ${version} ${name}; fi`,
    ].join(' '),
    // The unit is made of the settings when systemd reads its units, which was before.
    `if grep -qx auto ${settings}/start.conf; then systemctl daemon-reload; systemctl --no-block start postgresql@${version}-${name}.service; fi`,
  ];
}
