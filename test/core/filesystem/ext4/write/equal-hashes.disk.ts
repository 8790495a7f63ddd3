import { OverlayBlockDevice } from '../../../../../core/block-device/overlay-block-device';
import { openExt4Writable } from '../../../../../core/filesystem/ext4/write/open-ext4-writable';
import { FileBlockDevice } from '../../../../support/file-block-device';
import { ImageFolder, makeImage } from '../../../../support/mounted-image';
import { mkfsCommand } from '../../../../support/volume-matrix';
import { metadata } from '../../../../support/writable-image';

/** Real hashes hardly ever meet: here there are only five, so that runs of equal ones go over many leaves. */
jest.mock('../../../../../core/filesystem/ext4/directory-hash', () => ({
  directoryHash: (name: Uint8Array) => ({ major: (name[0]! % 5) * 1000, minor: 0 }),
}));

it('finds every name of an indexed directory in which many names have one hash', async () => {
  await using folder = await ImageFolder.make();
  const file = folder.image('collisions');
  await makeImage(file, 32, mkfsCommand(['-b', '1024']));
  await using base = await FileBlockDevice.open(file);
  const filesystem = await openExt4Writable(new OverlayBlockDevice(base));
  const names = Array.from(
    { length: 300 },
    (_, n) => `${String.fromCharCode(97 + (n % 23))}-${n}-${'x'.repeat(90)}`,
  );
  await filesystem.mkdir('/d', metadata({ mode: 0o755 }));
  for (const name of names) {
    await filesystem.writeFile(`/d/${name}`, new Uint8Array(), metadata());
  }
  expect(await filesystem.check()).toEqual([]);
  expect((await filesystem.readdir('/d')).map(({ name }) => name).sort()).toEqual([...names].sort());
  // Replacing one that is there adds no second entry: it was found.
  for (const name of names) {
    await filesystem.writeFile(`/d/${name}`, new Uint8Array(), metadata({ mode: 0o600 }));
  }
  expect(await filesystem.readdir('/d')).toHaveLength(names.length);
  for (const name of names) {
    await filesystem.remove(`/d/${name}`);
  }
  expect(await filesystem.readdir('/d')).toEqual([]);
  expect(await filesystem.check()).toEqual([]);
});
