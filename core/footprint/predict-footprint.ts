import type { Image } from '../image/image';
import type { PackageSystem } from '../image/os-identity';
import type { Update } from '../update/update';

/** Entries that an update is thought to read, before it was run anywhere. */
export interface Footprint {
  /** Paths whose content the outcome depends on: files, or directories of which every file counts. */
  readonly paths: readonly string[];
  /** Whether the set of installed packages and their versions counts. */
  readonly packages: boolean;
  /** For people: why these. */
  readonly reason: string;
}

/** What decides which versions apt gets and whether it may. */
const APT_SETTINGS = [
  '/etc/apt/sources.list',
  '/etc/apt/sources.list.d',
  '/etc/apt/preferences',
  '/etc/apt/preferences.d',
  '/etc/apt/apt.conf',
  '/etc/apt/apt.conf.d',
  '/var/lib/dpkg/arch',
  '/etc/dpkg/dpkg.cfg',
  '/etc/dpkg/dpkg.cfg.d',
];

/** The same of dnf and yum (dnf.conf(5)): sources, variables in them, plugins such as versionlock, chosen streams of modules. */
const DNF_SETTINGS = [
  '/etc/dnf',
  '/etc/yum.conf',
  '/etc/yum',
  '/etc/yum.repos.d',
  '/etc/rpm',
  '/etc/pki/rpm-gpg',
];

/**
 * Which entries a profile covers when the update was never run before. This only groups machines provisionally: matching
 * with the captured manifest decides who is patched.
 */
export function predictFootprint(update: Update, image: Pick<Image, 'os'>): Footprint {
  if (update.kind === 'packages') {
    return {
      paths: settingsOf(image.os.packageSystem),
      packages: true,
      reason: 'a package manager chooses by the installed packages, their versions and its own settings',
    };
  }
  return {
    paths: [],
    packages: true,
    reason: 'commands may read anything; machines with the same system and packages are likely to agree',
  };
}

function settingsOf(system: PackageSystem): readonly string[] {
  if (system === 'none') return [];
  return system === 'rpm' ? DNF_SETTINGS : APT_SETTINGS;
}
