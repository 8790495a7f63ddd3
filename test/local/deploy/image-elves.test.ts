import { Stack } from 'aws-cdk-lib';
import { ImageElves } from '../../../cdk/index';
import { STEPS } from '../../../core/workflow/steps';
import { startLocalCloud, type LocalCloud } from '../../../local/start';
import { appUnderTest, cloneNetwork, minimalProps } from '../../support/synthesized';
import { temporaryFolder } from '../../support/temporary-folder';

let cloud: LocalCloud;

beforeAll(async () => {
  cloud = await startLocalCloud({
    stateFolder: temporaryFolder('cloud'),
    storage: 'memory',
    machines: 'imaginary',
    speed: 100,
  });
});
afterAll(() => cloud.close());

test('the app itself is deployed, and every step can be called', async () => {
  const app = appUnderTest();
  const stack = new Stack(app, 'Test');
  new ImageElves(stack, 'ImageElves', { ...minimalProps(), clones: cloneNetwork(stack) });
  const folder = app.synth().directory;
  const deployment = await cloud.deploy(folder);
  expect(deployment.unknown).toEqual([]);
  expect(Object.keys(deployment.stateMachines)).toHaveLength(6);
  expect(Object.keys(deployment.functions)).toHaveLength(STEPS.length);
  const answers = await Promise.all(
    Object.values(deployment.functions).map(async (name) => (await cloud.lambdas.invoke(name, '{}')).payload),
  );
  expect(answers.sort()).toEqual(STEPS.map(({ name }) => JSON.stringify(name)).sort());
}, 60_000);
