import { neutralEntryDigest } from '../../../core/variation/neutral-entry';
import { variationOf } from '../../../core/variation/variation';
import { imageOf, machineOf } from '../../support/value-machines';

const own = {
  host: 'web01',
  machineId: '0123456789abcdef0123456789abcdef',
  uuid: '6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76',
};
const LARGE_BYTES = 9 * 1024 * 1024;

it('large files are held in memory one at a time, however many are asked for', async () => {
  const filesystem = await machineOf(own);
  const paths = Array.from({ length: 6 }, (_, index) => `/etc/large-${index}`);
  for (const path of paths) await filesystem.put(path, 'web01');
  const image = await imageOf(filesystem);
  const variation = await variationOf(image);
  let [held, most] = [0, 0];
  image.readFile = async () => {
    most = Math.max(most, ++held);
    await new Promise((resolve) => setTimeout(resolve, 5));
    held--;
    return Buffer.from('web01');
  };
  const stat = { ...(await image.lstat(paths[0]!))!, sizeBytes: LARGE_BYTES };
  const found = await Promise.all(paths.map((path) => neutralEntryDigest(image, path, stat, variation)));
  expect(new Set(found.map(({ digest }) => digest)).size).toBe(1);
  expect(most).toBe(1);
});
