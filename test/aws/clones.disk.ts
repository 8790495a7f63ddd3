import { cleanUpRun, terminateClone } from '../../aws/steps/clean-up';
import { launchClone } from '../../aws/steps/launch-clone';
import { snapshotInstance } from '../../aws/steps/snapshot-instance';
import type { LaunchCloneOutput } from '../../core/workflow/payloads';
import { diskCloud } from '../support/disk-cloud';
import { FLEET_INPUT, FLEET_UPDATES } from '../support/disk-fleet';
import { planned, until } from '../support/whole-run';

const cloud = diskCloud();

const NETWORK = { securityGroupIds: ['sg-0a0a0a0a0a0a0a0a0'] };
const run = 'test-run';

const launched = (classId: string, instanceId: string): Promise<LaunchCloneOutput> =>
  until(cloud.services, () => launchClone(cloud.services, { run, classId, instanceId }, NETWORK, () => true));
const alive = (): string[] =>
  [...cloud.services.state.instances.values()]
    .filter(({ state, tags }) => state === 'running' && tags['imageelves:purpose'] === 'clone')
    .map(({ instanceId }) => instanceId);

test('clones of one class keep apart, one machine is cloned again for another class, and none is left', async () => {
  const [one, two] = [await cloud.fleet.machine('one'), await cloud.fleet.machine('two')];
  await planned(cloud.services, FLEET_UPDATES, FLEET_INPUT);
  for (const { instanceId } of [one, two]) {
    await until(cloud.services, () => snapshotInstance(cloud.services, { run, instanceId, purpose: 'base' }));
  }
  const first = await launched('c1', one.instanceId);
  const witness = await launched('c1', two.instanceId);
  // The next round may find the machine in a class of its own.
  const again = await launched('c2', two.instanceId);
  const clones = [first, witness, again].map(({ cloneInstanceId }) => cloneInstanceId!);
  expect(alive().sort()).toEqual([...clones].sort());
  expect(await launched('c1', two.instanceId)).toEqual(witness);

  const names = await Promise.all(clones.map((id) => cloud.fleet.read(id, 'cat $MNT/etc/hostname')));
  expect(new Set(names).size).toBe(3);

  await until(cloud.services, () =>
    terminateClone(cloud.services, { run, classId: 'c1', instanceId: one.instanceId }),
  );
  expect(alive().sort()).toEqual(clones.slice(1).sort());
  // A witness that was given up is left to the clean-up of the run.
  await until(cloud.services, () => cleanUpRun(cloud.services, { run }));
  expect(alive()).toEqual([]);
  expect([...cloud.services.state.images.keys()]).toEqual([]);
  expect([...cloud.services.state.snapshots.keys()]).toEqual([]);
}, 120_000);
