import { ManifestMismatchError } from '../../../core/apply/apply-errors';
import { PackedContents } from '../../../core/chunk-store/packed-contents';
import { decodeName } from '../../../core/bytes/names';
import { renderManifest } from '../../../core/render/render-manifest';
import { listImage } from '../../support/image-listing';
import {
  captureOf,
  imageOf,
  machineOf,
  type MemoryUpdate,
  offline,
  online,
  type OwnValues,
} from '../../support/value-machines';

const named = (host: string, digit: string): OwnValues => ({
  host,
  machineId: `0123456789abcdef0123456789abcd${digit}a`,
  uuid: `6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a${digit}6`,
});
const [own, witness] = [named('web01', '1'), named('web02', '2')];

async function captured(update: MemoryUpdate) {
  const [a, b] = [await machineOf(own), await machineOf(witness)];
  return captureOf(await online(a, own, update), await online(b, witness, update));
}

describe('a path in which the name of the machine stands', () => {
  const update: MemoryUpdate = async (filesystem, { host }) => {
    await filesystem.put(`/etc/app/${host}.conf`, 'this machine\n');
    await filesystem.put('/etc/app/shared.conf', 'all machines\n');
  };

  it('is another one on another machine', async () => {
    const third = named('db-7', '3');
    const made = await offline(await machineOf(third), await captured(update));
    expect(await listImage(made)).toEqual(
      await listImage((await online(await machineOf(third), third, update)).after),
    );
  });

  it('does not fit a machine on which it is another path of the update', async () => {
    await expect(offline(await machineOf(named('shared', '3')), await captured(update))).rejects.toThrow(
      ManifestMismatchError,
    );
  });

  it('may hold bytes that are no text', async () => {
    const odd = decodeName(Uint8Array.of(0xe4, 0x2d));
    const writes: MemoryUpdate = async (filesystem, { host }) => {
      await filesystem.put(`/etc/app/${odd}${host}.conf`, 'this machine\n');
    };
    const { manifest, packs } = await captured(writes);
    expect(manifest.onlyOnline).toBeUndefined();
    const contents = new PackedContents(packs, manifest.packs);
    const rendered = await renderManifest(manifest, await imageOf(await machineOf(own)), contents);
    expect(rendered.manifest).toEqual(manifest);
    const third = named('db-7', '3');
    const made = await offline(await machineOf(third), { manifest, packs });
    expect(await listImage(made)).toEqual(
      await listImage((await online(await machineOf(third), third, writes)).after),
    );
  });
});
