import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Machines } from '../instances';
import { addInstance, importVolume, type LocalEc2State } from '../state';
import type { FleetRegistry } from './demo-fleet';

/**
 * Puts made machines into the embedded EC2. They are added stopped; those that are to run are started by StartInstances,
 * as anybody would, through `start`.
 *
 * @param disksFolder on storage with reflinks, where the cloud keeps its volumes
 */
export function fleetRegistry(
  state: LocalEc2State,
  disksFolder: string,
  machines: Machines,
  start: (instanceId: string) => Promise<void>,
): FleetRegistry {
  const workFolder = path.join(disksFolder, 'making');
  let count = state.instances.size;
  return {
    async bootOnce(diskFile) {
      const instanceId = `first-boot-${path.basename(diskFile, '.raw')}`;
      await machines.boot({ instanceId, rootVolumeFile: diskFile });
      await machines.shutDown(instanceId);
    },
    async newVolumeFile() {
      await mkdir(workFolder, { recursive: true });
      return path.join(workFolder, `${randomUUID()}.raw`);
    },
    async addInstance({ name, diskFile, state: wanted, tags }) {
      const volume = await importVolume(state, { rawFile: diskFile, tags: { Name: name } });
      await rm(diskFile);
      count += 1;
      const { instanceId } = addInstance(state, {
        name,
        tags,
        volumeId: volume.volumeId,
        privateIp: `10.0.${Math.floor(count / 250)}.${(count % 250) + 4}`,
      });
      if (wanted === 'running') await start(instanceId);
      return { instanceId };
    },
  };
}
