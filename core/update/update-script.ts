import { checkScript } from '../compliance/check-script';
import { packagesScript } from './packages-script';
import type { CommandsUpdate } from './update';

/** What every script ends with: the snapshot that follows has only what is on the disk. */
const FLUSH = 'sync';

/**
 * The lines that Run Command executes on a representative, by `sh`. An exit code other than 0 is a failure, 194 asks for
 * a reboot after which all of it is run again: so every script must be fit to be run twice.
 */
export function updateScript(update: CommandsUpdate): string[] {
  if (update.kind === 'packages') return [...packagesScript(update.select), FLUSH];
  if (update.kind === 'compliance') return checkScript(update.commands);
  // A person's commands run as they are, one after the other, up to the first that fails.
  return ['set -eu', ...update.commands, FLUSH];
}
