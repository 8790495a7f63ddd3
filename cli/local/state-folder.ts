import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FleetFilesystem } from '../../local/fleet/fleet-machines';

/** Where an embedded cloud that serves can be found; kept in its state folder while it does. */
export interface ServingCloud {
  readonly url: string;
  /** Process to signal, as the host numbers it. */
  readonly pid: number;
  readonly patchFleetArn: string;
  readonly rollBackRunArn: string;
  readonly bucket: string;
}

/** The state folder is in use, or a mount is below it; nothing was removed. */
export class StateFolderBusyError extends Error {
  override readonly name = 'StateFolderBusyError';
}

const servingFile = (folder: string): string => path.join(folder, 'serving.json');

/** The cloud that serves from this folder; undefined when none does, also when one died without saying so. */
export async function servingCloud(folder: string): Promise<ServingCloud | undefined> {
  const text = await readFile(servingFile(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const serving = JSON.parse(text) as ServingCloud;
  return isAlive(serving.pid) ? serving : undefined;
}

export async function writeServingCloud(folder: string, serving: ServingCloud): Promise<void> {
  await writeFile(servingFile(folder), `${JSON.stringify(serving, undefined, 2)}\n`);
}

export async function clearServingCloud(folder: string): Promise<void> {
  await rm(servingFile(folder), { force: true });
}

const fleetFile = (folder: string): string => path.join(folder, 'fleet.json');

/** What the machines of the fleet in this folder have their files on; undefined where there is no fleet. */
export async function fleetFilesystem(folder: string): Promise<FleetFilesystem | undefined> {
  const text = await readFile(fleetFile(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as { filesystem: FleetFilesystem }).filesystem;
}

export async function writeFleetFilesystem(folder: string, filesystem: FleetFilesystem): Promise<void> {
  await writeFile(fleetFile(folder), `${JSON.stringify({ filesystem })}\n`);
}

/**
 * Removes a fleet with everything it knows.
 *
 * @throws StateFolderBusyError when a cloud serves from it or something is mounted below it
 */
export async function removeStateFolder(folder: string): Promise<void> {
  const serving = await servingCloud(folder);
  if (serving !== undefined) {
    throw new StateFolderBusyError(
      `a cloud serves from ${folder} (process ${serving.pid}): stop it first with "imageelves local down"`,
    );
  }
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const below = mounts
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point === folder || point.startsWith(`${folder}/`));
  if (below.length > 0)
    throw new StateFolderBusyError(`${below.join(', ')} is mounted below ${folder}: unmount it first`);
  await rm(folder, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
