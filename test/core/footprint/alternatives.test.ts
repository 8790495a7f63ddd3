import { matchImage } from '../../../core/match/match-image';
import { codecFor } from '../../../core/records/registry';
import type { MemoryFilesystem } from '../../support/memory-filesystem';
import { captureOf, imageOf, machineOf, online, type OwnValues } from '../../support/value-machines';

const own: OwnValues = {
  host: 'web01',
  machineId: '0123456789abcdef0123456789abcdef',
  uuid: '6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76',
};
const other: OwnValues = {
  host: 'web02',
  machineId: 'fedcba9876543210fedcba9876543210',
  uuid: '11111111-2222-4333-8444-555555555555',
};
const TABLE = '/var/lib/dpkg/alternatives/editor';
const LINK = '/etc/alternatives/editor';
const group = (mode: string, ...alternatives: string[]): string =>
  [mode, '/usr/bin/editor', '', ...alternatives.flatMap((file) => [file, '50']), '', ''].join('\n');

/** A machine on which somebody chose one of three editors. */
async function machine(values: OwnValues, chosen: string): Promise<MemoryFilesystem> {
  const filesystem = await machineOf(values, {
    [TABLE]: group('manual', '/bin/ed', '/bin/nano', '/usr/bin/vim.tiny'),
  });
  await filesystem.makeParents(LINK);
  await filesystem.symlink(LINK, chosen, { mode: 0o777, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() });
  return filesystem;
}

describe('an update that takes an alternative away', () => {
  it.each([
    ['/bin/nano', true],
    // update-alternatives(1) would go over to auto mode here, and lead the link elsewhere.
    ['/usr/bin/vim.tiny', false],
  ])('fits a machine on which %s was chosen by hand: %s', async (chosen, fits) => {
    const captured = await captureOf(
      await online(await machine(own, '/bin/nano'), own, (filesystem) =>
        filesystem.put(TABLE, group('manual', '/bin/ed', '/bin/nano')),
      ),
      undefined,
    );
    const image = await imageOf(await machine(other, chosen));
    const { matched, differences } = await matchImage(captured.manifest, image, { codecFor });
    expect(differences.map(({ path }) => path)).toEqual(fits ? [] : [LINK]);
    expect(matched).toBe(fits);
  });
});
