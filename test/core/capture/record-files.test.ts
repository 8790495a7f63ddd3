import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { applyCaptured, captureUpdate } from '../../support/pipeline';

async function machine(files: Record<string, string>): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  for (const [path, content] of Object.entries(files)) await filesystem.put(path, content);
  return filesystem;
}

async function text(filesystem: MemoryFilesystem, path: string): Promise<string> {
  return new TextDecoder().decode(await filesystem.readFile(path));
}

/** Captures what turns the first files into the second. */
async function captured(before: Record<string, string>, after: Record<string, string>) {
  const filesystem = await machine(before);
  const updated = filesystem.clone();
  for (const [path, content] of Object.entries(after)) await updated.put(path, content);
  return captureUpdate(new MemoryImage(filesystem), new MemoryImage(updated));
}

describe('record files', () => {
  it('are changed record by record: a machine keeps the records that the representative does not have', async () => {
    const update = await captured(
      { '/etc/pkg.table': 'app=1\nlib=1\nold=1\n' },
      { '/etc/pkg.table': 'app=2\nlib=1\nnew=1\n' },
    );
    expect(update.manifest.operations).toMatchObject([
      {
        kind: 'put-record',
        path: '/etc/pkg.table',
        codec: 'test-lines',
        records: [{ key: 'app' }, { key: 'new', before: 'absent' }, { key: 'old', after: 'absent' }],
      },
    ]);
    const member = await machine({ '/etc/pkg.table': '# mine\nextra=7\nold=1\nlib=0\napp=1\n' });
    await applyCaptured(update, new MemoryImage(member));
    expect(await text(member, '/etc/pkg.table')).toBe('# mine\nextra=7\nlib=0\napp=2\nnew=1\n');
  });

  it('differ only by the records that the update touches', async () => {
    const update = await captured({ '/etc/pkg.table': 'app=1\n' }, { '/etc/pkg.table': 'app=2\n' });
    const member = await machine({ '/etc/pkg.table': 'app=1-local\n' });
    await expect(applyCaptured(update, new MemoryImage(member))).rejects.toMatchObject({
      name: 'ManifestMismatchError',
      found: { differenceCount: 1, differences: [{ path: '/etc/pkg.table', record: 'app' }] },
    });
    expect(await text(member, '/etc/pkg.table')).toBe('app=1-local\n');
  });

  it('with the same records in another order are no change', async () => {
    const update = await captured({ '/etc/pkg.table': 'a=1\nb=1\n' }, { '/etc/pkg.table': 'b=1\na=1\n' });
    expect(update.manifest.operations).toEqual([]);
  });

  it('that are new are merged into those of a machine that has them already', async () => {
    const update = await captured({ '/etc/keep': '' }, { '/etc/new.table': 'a=1\n' });
    expect(update.manifest.operations).toMatchObject([{ kind: 'put-record', before: 'absent' }]);
    const [without, having] = [
      await machine({ '/etc/keep': '' }),
      await machine({ '/etc/new.table': 'own=1\n' }),
    ];
    for (const member of [without, having]) await applyCaptured(update, new MemoryImage(member));
    expect(await text(without, '/etc/new.table')).toBe('a=1\n');
    expect(await text(having, '/etc/new.table')).toBe('own=1\na=1\n');
  });

  it('are put whole when they changed in more than records or do not parse', async () => {
    const update = await captured(
      { '/etc/a.table': '# one\nx=1\n', '/etc/b.table': 'x=1\n' },
      { '/etc/a.table': '# two\nx=1\n', '/etc/b.table': 'garbage\n', '/etc/c.table': '# note\n' },
    );
    expect(update.manifest.operations.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'put-file /etc/a.table',
      'put-file /etc/b.table',
      'put-file /etc/c.table',
    ]);
  });

  it('that cannot be merged are a difference, found before anything is written', async () => {
    const update = await captured(
      { '/etc/ids.table': 'root=!0\n' },
      { '/etc/ids.table': 'root=!0\nnew=!100\n' },
    );
    const member = await machine({ '/etc/ids.table': 'root=!0\nmine=!100\n' });
    await expect(applyCaptured(update, new MemoryImage(member))).rejects.toMatchObject({
      name: 'ManifestMismatchError',
      found: { differences: [{ path: '/etc/ids.table', found: 'a conflict' }] },
    });
  });

  it('a backup is a copy of its table with the last records a step earlier, whatever the machine had there', async () => {
    const update = await captured(
      { '/etc/passwd': 'root=0\n', '/etc/passwd-': 'root=0-of-long-ago\n' },
      { '/etc/passwd': 'root=0\na=1\nb=2\n', '/etc/passwd-': 'root=0\na=1\n' },
    );
    const backup = update.manifest.operations.at(-1);
    expect(backup).toMatchObject({ path: '/etc/passwd-', copyOf: '/etc/passwd', before: 'any' });

    const member = await machine({ '/etc/passwd': 'root=0\nmine=9\n' });
    await applyCaptured(update, new MemoryImage(member));
    expect(await text(member, '/etc/passwd')).toBe('root=0\nmine=9\na=1\nb=2\n');
    expect(await text(member, '/etc/passwd-')).toBe('root=0\nmine=9\na=1\n');
  });

  it('keep mode and owner as the update leaves them, and must have had those of the representative', async () => {
    const before = await machine({ '/etc/pkg.table': 'app=1\n' });
    const after = before.clone();
    await after.put('/etc/pkg.table', 'app=2\n', { mode: 0o640, gid: 42 });
    const update = await captureUpdate(new MemoryImage(before), new MemoryImage(after));
    const member = before.clone();
    await applyCaptured(update, new MemoryImage(member));
    expect(await member.lstat('/etc/pkg.table')).toMatchObject({ mode: 0o640, gid: 42 });

    const other = before.clone();
    await other.put('/etc/pkg.table', 'app=1\n', { mode: 0o600 });
    await expect(applyCaptured(update, new MemoryImage(other))).rejects.toMatchObject({
      found: { differences: [{ why: 'its mode, owner or attributes are not those of the representative' }] },
    });
  });
});
