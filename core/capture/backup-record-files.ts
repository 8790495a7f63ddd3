/**
 * Backups that tools keep of their tables: the table as it was before it was last written. What stood in one before an
 * update depends on a machine's whole history and tells nothing about the update; after it, it is the table with the last
 * few records as they were a step earlier. So it is captured as a copy of the table with those records put, and what a
 * machine has there before does not matter.
 */
const BACKUPS: readonly { readonly backup: RegExp; readonly original: string }[] = [
  // dpkg keeps status-old, available-old, diversions-old, statoverride-old; debconf its databases.
  { backup: /^(\/var\/lib\/dpkg\/[a-z]+)-old$/, original: '$1' },
  { backup: /^(\/var\/cache\/debconf\/[a-z]+\.dat)-old$/, original: '$1' },
  // passwd(5), shadow(5), group(5), gshadow(5), subuid(5), subgid(5)
  { backup: /^(\/etc\/(?:passwd|group|shadow|gshadow|subuid|subgid))-$/, original: '$1' },
  // The package ca-certificates keeps the one before.
  { backup: /^(\/etc\/ca-certificates\.conf)\.dpkg-old$/, original: '$1' },
  // ucf(1) keeps the last few of each.
  { backup: /^(\/var\/lib\/ucf\/(?:hashfile|registry))\.\d$/, original: '$1' },
];

/** The table that a path is the backup of, or undefined. */
export function originalOf(path: string): string | undefined {
  const found = BACKUPS.find(({ backup }) => backup.test(path));
  return found && path.replace(found.backup, found.original);
}
