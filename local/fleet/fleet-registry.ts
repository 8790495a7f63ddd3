import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Machines } from '../instances';
import { addInstance, attachDataVolume, importVolume, type LocalEc2State } from '../state';
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
    async bootOnce(name, disks) {
      const instanceId = `first-boot-${name}`;
      await machines.boot({ instanceId, disks });
      await machines.shutDown(instanceId);
    },
    async newVolumeFile() {
      await mkdir(workFolder, { recursive: true });
      return path.join(workFolder, `${randomUUID()}.raw`);
    },
    async addInstance({ name, disks, state: wanted, tags }) {
      const [root, ...others] = disks;
      if (!root) throw new Error(`${name} has no disk.`);
      const take = async (file: string) => {
        const { volumeId } = await importVolume(state, { rawFile: file, tags: { Name: name } });
        await rm(file);
        return volumeId;
      };
      count += 1;
      const { instanceId } = addInstance(state, {
        name,
        tags,
        volumeId: await take(root.file),
        privateIp: `10.0.${Math.floor(count / 250)}.${(count % 250) + 4}`,
      });
      for (const { file, device } of others)
        attachDataVolume(state, { instanceId, volumeId: await take(file), device });
      if (wanted === 'running') await start(instanceId);
      return { instanceId };
    },
  };
}
