import path from 'node:path';
import { buildFleet, type PendingUpdates } from '../../local/fleet/demo-fleet';
import type { FleetMachine } from '../../local/fleet/fleet-machines';
import type { OpenCloud } from './open-cloud';

/** Builds the machines into an empty cloud. Bootstrapped trees are kept in the project's cache for the next fleet. */
export async function makeFleet(
  open: OpenCloud,
  machines: readonly FleetMachine[],
  pending: PendingUpdates,
  tell: (line: string) => void,
  publish?: (repositoryFolder: string) => Promise<void>,
): Promise<void> {
  await buildFleet(machines, {
    registry: open.cloud.fleet,
    cacheFolder: open.cacheFolder,
    workFolder: path.join(open.cloud.diskFolder, 'making'),
    repositoryFolder: open.repositoryFolder,
    pending,
    publish,
    tell,
  });
  await open.cloud.settled();
}
