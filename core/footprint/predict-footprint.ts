import type { Image } from '../image/image';
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

/**
 * Which entries a profile covers when the update was never run before. This only groups machines provisionally: matching
 * with the captured manifest decides who is patched.
 */
export function predictFootprint(update: Update, image: Pick<Image, 'os'>): Footprint {
  const isDebian = image.os.packageSystem === 'dpkg';
  if (update.kind === 'packages') {
    return {
      paths: isDebian ? APT_SETTINGS : [],
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
