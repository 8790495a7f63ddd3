import { matchImage } from '../../../core/match/match-image';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate } from '../../support/pipeline';

const none = new Map<string, Uint8Array>();
const root = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1n, xattrs: none };

async function machine(): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put('/etc/app.conf', 'colour = red\n');
  await filesystem.put('/usr/bin/app', 'version 1', { mode: 0o755 });
  await filesystem.put('/usr/share/app/old/page', 'page');
  return filesystem;
}

/** The update: a new program, a new configuration, a removed directory. */
async function theUpdate(identity: { hostname?: string } = {}, configuration = 'colour = blue\n') {
  const before = await machine();
  const after = before.clone();
  await after.put('/usr/bin/app', 'version 2', { mode: 0o755 });
  await after.put('/etc/app.conf', configuration);
  await after.remove('/usr/share/app/old/page');
  await after.remove('/usr/share/app/old');
  const { manifest } = await captureUpdate(new MemoryImage(before), new MemoryImage(after, { identity }));
  return { manifest, before, after };
}

describe('matchImage', () => {
  it('matches an equal machine, and one that has more', async () => {
    const { manifest, before } = await theUpdate();
    await before.put('/srv/data', 'mine');
    expect(await matchImage(manifest, new MemoryImage(before))).toEqual({
      matched: true,
      alreadyPatched: false,
      differences: [],
      differenceCount: 0,
    });
  });

  it('knows a machine that has the update already, whole or in part', async () => {
    const { manifest, before, after } = await theUpdate();
    expect(await matchImage(manifest, new MemoryImage(after))).toMatchObject({
      matched: true,
      alreadyPatched: true,
    });
    await before.put('/usr/bin/app', 'version 2', { mode: 0o755 });
    expect(await matchImage(manifest, new MemoryImage(before))).toMatchObject({
      matched: true,
      alreadyPatched: false,
    });
  });

  it.each<[string, (member: MemoryFilesystem) => Promise<void> | void, string, RegExp]>([
    [
      'changed content',
      (member) => member.put('/etc/app.conf', 'colour = own\n'),
      '/etc/app.conf',
      /before the update/,
    ],
    [
      'content of the same size',
      (member) => member.put('/etc/app.conf', 'colour = RED\n'),
      '/etc/app.conf',
      /before/,
    ],
    [
      'another mode',
      (member) => member.setMetadata('/usr/bin/app', root),
      '/usr/bin/app',
      /before the update/,
    ],
    ['a missing file', (member) => member.remove('/usr/bin/app'), '/usr/bin/app', /not on this machine/],
    [
      'more in a directory that goes',
      (member) => member.put('/usr/share/app/old/own', ''),
      '/usr/share/app/old',
      /more/,
    ],
    [
      'a protected file',
      (member) => member.setFlags('/usr/bin/app', { immutable: true }),
      '/usr/bin/app',
      /chattr/,
    ],
  ])('names the path and why: %s', async (_what, change, path, why) => {
    const { manifest, before } = await theUpdate();
    await change(before);
    const match = await matchImage(manifest, new MemoryImage(before));
    expect(match).toMatchObject({ matched: false, differenceCount: 1, differences: [{ path }] });
    expect(match.differences[0]!.why).toMatch(why);
  });

  it('does not follow a symbolic link in place of a directory', async () => {
    const { manifest, before } = await theUpdate();
    await before.remove('/etc/app.conf');
    await before.remove('/etc');
    await before.put('/elsewhere/app.conf', 'colour = red\n');
    await before.symlink('/etc', '/elsewhere', root);
    const match = await matchImage(manifest, new MemoryImage(before));
    expect(match.differences).toEqual([
      expect.objectContaining({ path: '/etc', expected: 'directory', found: 'symlink' }),
    ]);
  });

  it('refuses another operating system', async () => {
    const { manifest, before } = await theUpdate();
    const match = await matchImage(manifest, new MemoryImage(before, { os: { versionId: '11' } }));
    expect(match.differences).toMatchObject([{ expected: 'debian 12 amd64', found: 'debian 11 amd64' }]);
  });

  it("refuses content that holds the representative's own host name, but not a word that only contains it", async () => {
    const own = await theUpdate({ hostname: 'web-17' }, 'listen = web-17.example.org\n');
    expect(own.manifest.warnings).toHaveLength(1);
    const match = await matchImage(own.manifest, new MemoryImage(own.before));
    expect(match.differences).toMatchObject([{ path: '/etc/app.conf', found: 'host name' }]);

    const other = await theUpdate({ hostname: 'web-17' }, 'listen = web-170\n');
    expect((await matchImage(other.manifest, new MemoryImage(other.before))).matched).toBe(true);
  });

  it('reads no file whose size says that it differs', async () => {
    const { manifest, before } = await theUpdate();
    await before.put('/usr/bin/app', 'x'.repeat(100_000), { mode: 0o755 });
    before.contentReads.clear();
    await matchImage(manifest, new MemoryImage(before));
    expect(before.contentReads.has('/usr/bin/app')).toBe(false);
  });

  it('keeps the first differences and counts all', async () => {
    const before = new MemoryFilesystem();
    for (let number = 0; number < 250; number++) await before.put(`/opt/${number}`, 'old');
    const after = before.clone();
    for (let number = 0; number < 250; number++) await after.put(`/opt/${number}`, 'new');
    const { manifest } = await captureUpdate(new MemoryImage(before), new MemoryImage(after));
    const member = new MemoryFilesystem();
    await member.put('/opt/own', '');
    const match = await matchImage(manifest, new MemoryImage(member));
    expect(match.differenceCount).toBe(250);
    expect(match.differences).toHaveLength(100);
  });
});
