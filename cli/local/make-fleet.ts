import path from 'node:path';
import { buildFleet } from '../../local/fleet/demo-fleet';
import type { FleetMachine } from '../../local/fleet/fleet-machines';
import type { OpenCloud } from './open-cloud';

/** Builds the machines into an empty cloud. Bootstrapped trees are kept in the project's cache for the next fleet. */
export async function makeFleet(
  open: OpenCloud,
  machines: readonly FleetMachine[],
  pending: 'distribution' | 'repository',
  tell: (line: string) => void,
): Promise<void> {
  await buildFleet(machines, {
    registry: open.cloud.fleet,
    cacheFolder: open.cacheFolder,
    workFolder: path.join(open.cloud.diskFolder, 'making'),
    repositoryFolder: open.repositoryFolder,
    pending,
    tell,
  });
  await open.cloud.settled();
}
