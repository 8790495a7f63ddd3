/** Something that was done to a machine by hand, and what it means for each update. */
export interface LocalChange {
  readonly name: string;
  /** For `sh` with the machine's root at $ROOT; nothing of the machine runs. */
  readonly commands: string;
  /** By update, what is added to the name of its outcome on such a machine; others end as they would without the change. */
  readonly outcomes: Readonly<Record<string, string>>;
  /** The outcomes are these only where this package is installed. */
  readonly onlyWith?: string;
}

export interface MachinePlan {
  readonly instanceId: string;
  readonly hostName: string;
  readonly machineId: string;
  readonly filesystemUuid: string;
  readonly packages: PackageSet;
  readonly change: LocalChange;
  /** Runs: the update can be run on it without a clone. */
  readonly live: boolean;
}

/** Which packages a machine has, in the order in which they were installed. */
export interface PackageSet {
  readonly name: string;
  readonly installed: readonly string[];
}

export const PACKAGE_SETS: readonly PackageSet[] = [
  { name: 'alpha', installed: ['alpha'] },
  { name: 'alpha and an extra', installed: ['extra1', 'alpha'] },
  { name: 'alpha, beta', installed: ['alpha', 'beta'] },
  { name: 'alpha, beta and extras', installed: ['extra3', 'beta', 'alpha', 'extra2'] },
  { name: 'alpha, beta, gamma', installed: ['alpha', 'beta', 'gamma'] },
  { name: 'alpha, beta, gamma and an extra', installed: ['gamma', 'extra1', 'beta', 'alpha'] },
  { name: 'alpha, delta', installed: ['alpha', 'delta'] },
  { name: 'alpha, delta, epsilon', installed: ['alpha', 'epsilon', 'delta'] },
];

const has = (set: PackageSet, name: string): boolean => set.installed.includes(name);

/** What each update does to a machine on which nothing was changed by hand. */
const PLAIN_OUTCOMES: Readonly<Record<string, (set: PackageSet) => string>> = {
  upgrade: (set) =>
    `upgrades ${['alpha', 'beta', 'gamma', 'delta'].filter((name) => has(set, name)).join(', ')}` +
    (has(set, 'delta') && !has(set, 'epsilon') ? ', installs epsilon' : ''),
  settings: (set) => (has(set, 'extra1') ? 'safe, with extra1' : 'safe'),
  identity: () => 'agent',
  purge: (set) => (has(set, 'beta') ? 'beta is purged' : 'nothing'),
  check: (set) => (has(set, 'beta') ? 'beta fails' : 'all pass'),
};

/** So many of the local changes are those that no update minds. */
const HARMLESS = 3;

const NOTHING: LocalChange = { name: 'nothing', commands: ':', outcomes: {} };

/** Changes by hand: those that no update minds, and those that look like them and are not. */
export const LOCAL_CHANGES: readonly LocalChange[] = [
  NOTHING,
  {
    name: 'files of people and of services',
    commands: `
      mkdir -p "$ROOT/home/ada/notes" "$ROOT/srv/www"; echo note > "$ROOT/home/ada/notes/1"; echo page > "$ROOT/srv/www/index.html"
      printf '#!/bin/sh\\necho tool\\n' > "$ROOT/usr/local/bin/tool"; chmod 755 "$ROOT/usr/local/bin/tool"; echo welcome > "$ROOT/etc/motd"`,
    outcomes: {},
  },
  {
    name: 'a person with an account',
    commands: `
      echo 'ada:x:1004:1004:Ada,,,:/home/ada:/bin/sh' >> "$ROOT/etc/passwd"; echo 'ada:x:1004:' >> "$ROOT/etc/group"
      echo 'ada:!:20000:0:99999:7:::' >> "$ROOT/etc/shadow"; echo 'ada:!::' >> "$ROOT/etc/gshadow"`,
    outcomes: {},
  },
  {
    name: 'the number of the next service account is taken',
    commands: `
      echo 'local:x:102:102::/nonexistent:/usr/sbin/nologin' >> "$ROOT/etc/passwd"; echo 'local:x:102:' >> "$ROOT/etc/group"
      echo 'local:!:20000::::::' >> "$ROOT/etc/shadow"; echo 'local:!::' >> "$ROOT/etc/gshadow"`,
    outcomes: {},
  },
  {
    name: 'the level of alpha is set by hand',
    commands: `printf 'level=9\\ncolour=blue\\n' > "$ROOT/etc/alpha.conf"`,
    outcomes: { upgrade: ', alpha.conf stays' },
  },
  {
    name: 'only root’s group may read the settings of alpha',
    commands: `chmod 640 "$ROOT/etc/alpha.conf"`,
    outcomes: { upgrade: ', alpha.conf keeps its mode', check: ', owner fails' },
  },
  {
    name: 'alpha is held',
    commands: `echo 'bench-alpha hold' | dpkg --root="$ROOT" --set-selections`,
    outcomes: { upgrade: ' but alpha' },
  },
  {
    name: 'the program of alpha is diverted',
    commands: `dpkg-divert --root "$ROOT" --local --rename --divert /usr/bin/alpha.real --add /usr/bin/alpha`,
    outcomes: { upgrade: ', alpha diverted' },
  },
  {
    name: 'one more piece of settings for beta',
    commands: `mkdir -p "$ROOT/etc/beta.d"; echo 'local=1' > "$ROOT/etc/beta.d/50-local.conf"`,
    outcomes: { upgrade: ', local in the index', purge: ', beta.d stays' },
    onlyWith: 'beta',
  },
  {
    name: 'data of alpha were edited',
    commands: `echo edited >> "$ROOT/usr/share/alpha/data"`,
    outcomes: {},
  },
  {
    name: 'a user gammad exists',
    commands: `
      echo 'gammad:x:1500:1500::/srv/gamma:/bin/sh' >> "$ROOT/etc/passwd"; echo 'gammad:x:1500:' >> "$ROOT/etc/group"
      echo 'gammad:!:20000:0:99999:7:::' >> "$ROOT/etc/shadow"; echo 'gammad:!::' >> "$ROOT/etc/gshadow"`,
    outcomes: { upgrade: ', gammad was there' },
    onlyWith: 'gamma',
  },
  {
    name: 'fast mode',
    commands: `echo mode=fast > "$ROOT/etc/app/app.conf"`,
    outcomes: { settings: ', fast', check: ', mode fails' },
  },
  {
    name: 'a comment in the settings',
    commands: `printf '# by ops\\nmode=safe\\n' > "$ROOT/etc/app/app.conf"`,
    outcomes: {},
  },
  {
    name: 'one more hook',
    commands: `echo 'echo "second hook"' > "$ROOT/etc/app/hooks.d/20-second"`,
    outcomes: { settings: ', two hooks', check: ', hooks fails' },
  },
  {
    name: 'a German locale',
    commands: `echo LANG=de_DE.UTF-8 > "$ROOT/etc/default/locale"`,
    outcomes: { settings: ', German' },
  },
  {
    name: 'another alternative',
    commands: `ln -sfn /opt/choice/large "$ROOT/etc/alternatives/choice"`,
    outcomes: { settings: ', large' },
  },
  {
    name: 'the folder of the agent has another mode',
    commands: `mkdir -m 700 "$ROOT/etc/agent"`,
    outcomes: { identity: ', own folder' },
  },
];

/** What an update does to a machine, as a name: machines with one name must end alike but for their own values. */
export function outcomeOf(update: string, { packages, change }: MachinePlan): string {
  const plain = PLAIN_OUTCOMES[update];
  if (plain === undefined) throw new RangeError(`no outcomes are known of ${update}`);
  const counts = change.onlyWith === undefined || has(packages, change.onlyWith);
  return plain(packages) + ((counts ? change.outcomes[update] : undefined) ?? '');
}

/** Words that stand in settings by chance are among them. */
const HOST_NAMES = ['amber', 'birch', 'cedar', 'server', 'ember', 'agent', 'grove', 'linux', 'heath', 'safe'];

/**
 * A fleet: in each package set first machines on which nothing was changed that an update minds,
 * then two of each near miss. Two machines of the first set run. The same size gives the same fleet.
 */
export function planFleet(size: number): MachinePlan[] {
  const sets = size >= 32 ? PACKAGE_SETS : PACKAGE_SETS.filter((_, index) => index % 3 === 0);
  const plain = size >= 32 ? 4 : 2;
  const harmless = LOCAL_CHANGES.slice(0, HARMLESS);
  const others = LOCAL_CHANGES.slice(HARMLESS);
  return Array.from({ length: size }, (_, index): MachinePlan => {
    const set = index % sets.length;
    const place = Math.floor(index / sets.length);
    const miss = Math.floor((place - plain) / (size >= 32 ? 2 : 1)) * sets.length + set;
    const word = HOST_NAMES[index % HOST_NAMES.length]!;
    const number = index < HOST_NAMES.length ? '' : `-${String(index).padStart(2, '0')}`;
    const hex = (index + 0x5eed).toString(16).padStart(12, '0');
    return {
      instanceId: `i-${(index + 1).toString(16).padStart(17, '0')}`,
      hostName: `${word}${number}`,
      machineId: `5eed0000c1a551f1cab1e000${hex.slice(4)}`,
      filesystemUuid: `5eed0001-c1a5-4f1e-8e7c-${hex}`,
      packages: sets[set]!,
      change: place < plain ? harmless[place % harmless.length]! : others[miss % others.length]!,
      live: set === 0 && place < 2,
    };
  });
}
