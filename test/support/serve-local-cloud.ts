import { addInstance, importVolume } from '../../local/state';
import { reexecInPrivateNamespace, startLocalCloud } from '../../local/start';

/**
 * A program for tests: serves an embedded cloud with real machines until it is told to stop.
 * Arguments: state folder, raw disk that new machines are made from, how many, folder of http://repository.local.
 * Writes one line of JSON when it serves.
 */
async function main(): Promise<void> {
  const exitCode = await reexecInPrivateNamespace();
  if (exitCode !== undefined) process.exit(exitCode);
  const [stateFolder = '', rawFile = '', count = '0', repository = ''] = process.argv.slice(2);
  const cloud = await startLocalCloud({
    stateFolder,
    speed: 20,
    sites: { 'repository.local': repository },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void cloud.close().then(() => process.exit(0)));
  const state = cloud.ec2State;
  for (let index = state.instances.size; index < Number(count); index += 1) {
    const { volumeId } = await importVolume(state, { rawFile });
    addInstance(state, { name: `machine-${index}`, volumeId, privateIp: `10.0.1.${index + 4}` });
  }
  process.stdout.write(`${JSON.stringify({ url: cloud.url, instanceIds: [...state.instances.keys()] })}\n`);
}

void main();
