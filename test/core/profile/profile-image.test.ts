import { predictFootprint } from '../../../core/footprint/predict-footprint';
import { profileImage } from '../../../core/profile/profile-image';
import { signatureOf } from '../../../core/profile/signature';
import { debianFilesystem } from '../../support/debian-image';
import type { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';

const update = { name: 'security', kind: 'packages', select: 'security' } as const;
const packages = { openssl: '3.0.1', base: '1' };

async function profileOf(filesystem: MemoryFilesystem, hostname = 'one') {
  const image = new MemoryImage(filesystem, { identity: { hostname } });
  return profileImage(image, predictFootprint(update, image), 'i-1');
}

describe('profileImage', () => {
  it('has packages, settings of the package manager, and the filesystems, as plain JSON', async () => {
    const filesystem = await debianFilesystem({ packages });
    await filesystem.put('/etc/apt/sources.list.d/own.list', 'deb http://own stable main\n');
    const profile = await profileOf(filesystem);
    expect(JSON.parse(JSON.stringify(profile))).toEqual(profile);
    expect(profile.packages).toEqual({ 'base:amd64': '1', 'openssl:amd64': '3.0.1' });
    expect(profile.entries['/etc/apt/preferences']).toBe('absent');
    expect(profile.entries['/etc/apt/sources.list.d/own.list']).toMatch(/^sha256:/);
    expect(profile.filesystems).toMatchObject([{ mountPoint: '/', kind: 'memory' }]);
  });

  it('has a signature that is the same for twins and another where the update could end otherwise', async () => {
    const signature = async (change: (filesystem: MemoryFilesystem) => Promise<void>, hostname?: string) => {
      const filesystem = await debianFilesystem({ packages });
      await change(filesystem);
      return signatureOf(await profileOf(filesystem, hostname));
    };
    const usual = await signature(async () => undefined);
    expect(await signature((filesystem) => filesystem.put('/srv/data', 'x'), 'two')).toBe(usual);
    expect(
      await signature((filesystem) => filesystem.put('/etc/apt/preferences.d/pin', 'Package: *\n')),
    ).not.toBe(usual);
    expect(await signature((filesystem) => filesystem.put('/etc/apt/sources.list', 'deb x y z\n'))).not.toBe(
      usual,
    );
    const other = signatureOf(
      await profileOf(await debianFilesystem({ packages: { ...packages, openssl: '3.0.2' } })),
    );
    expect(other).not.toBe(usual);
  });

  it('reads nothing but the footprint', async () => {
    const filesystem = await debianFilesystem({ packages });
    await filesystem.put('/srv/data', 'x');
    filesystem.contentReads.clear();
    await profileOf(filesystem);
    expect([...filesystem.contentReads.keys()].sort()).toEqual([
      '/etc/apt/sources.list',
      '/var/lib/dpkg/arch',
      '/var/lib/dpkg/status',
    ]);
  });
});
