import { matchImage } from '../../../core/match/match-image';
import { listImage } from '../../support/image-listing';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { applyCaptured, captureUpdate } from '../../support/pipeline';

const none = new Map<string, Uint8Array>();
const root = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1_800_000_000_000_000_000n, xattrs: none };
const bytes = (text: string) => new TextEncoder().encode(text);

async function machine(): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put('/etc/app.conf', 'colour = red\n');
  await filesystem.put('/etc/users.table', 'root=0\nann=1000\n');
  await filesystem.put('/usr/bin/app', 'version 1', { mode: 0o755 });
  await filesystem.put('/usr/share/app/help/index', 'help');
  await filesystem.put('/usr/share/zone/Berlin', 'central europe');
  await filesystem.link('/usr/share/zone/Berlin', '/usr/share/zone/Vienna');
  await filesystem.link('/usr/share/zone/Berlin', '/usr/share/zone/Rome');
  await filesystem.put('/var/log/app.log', 'started\n');
  await filesystem.symlink('/usr/bin/tool', 'app', root);
  return filesystem;
}

/** Changes a copy of the machine, captures that, and applies it to another copy: both must then be equal. */
async function throughCapture(update: (filesystem: MemoryFilesystem) => Promise<void>) {
  const before = await machine();
  const after = before.clone();
  await update(after);
  const captured = await captureUpdate(new MemoryImage(before), new MemoryImage(after));
  const member = new MemoryImage(before.clone());
  await applyCaptured(captured, member);
  const expected = await listImage(new MemoryImage(after));
  expect(await listImage(member)).toEqual(expected);
  return captured.manifest.operations.map(({ kind, path }) => `${kind} ${path}`);
}

describe('an update captured and applied to an equal machine gives the same machine', () => {
  it('content, mode, owner, attributes and time of a file', async () => {
    const capability = new Map([['security.capability', bytes('\u0001\u0000net')]]);
    const operations = await throughCapture((filesystem) =>
      filesystem.writeFile('/usr/bin/app', bytes('version 2'), {
        ...root,
        mode: 0o4755,
        uid: 3,
        xattrs: capability,
      }),
    );
    expect(operations).toEqual(['put-file /usr/bin/app']);
  });

  it('only the mode, on a file and on a directory', async () => {
    const operations = await throughCapture(async (filesystem) => {
      await filesystem.setMetadata('/usr/bin/app', { ...root, mode: 0o700, mtimeNs: 1n });
      await filesystem.setMetadata('/usr/share/app', { ...root, mode: 0o750, gid: 7 });
    });
    expect(operations).toEqual(['set-metadata /usr/bin/app', 'set-metadata /usr/share/app']);
  });

  it('new directories with files, symbolic links, devices and pipes', async () => {
    const operations = await throughCapture(async (filesystem) => {
      await filesystem.put('/opt/new/deep/file', 'new');
      await filesystem.symlink('/opt/new/link', '../nowhere', root);
      await filesystem.mknod(
        '/opt/new/null',
        'character-device',
        { major: 1, minor: 3 },
        { ...root, mode: 0o666 },
      );
      await filesystem.mknod('/opt/new/pipe', 'fifo', { major: 0, minor: 0 }, root);
    });
    expect(operations).toEqual([
      'make-directory /opt',
      'make-directory /opt/new',
      'make-directory /opt/new/deep',
      'put-file /opt/new/deep/file',
      'make-symlink /opt/new/link',
      'make-node /opt/new/null',
      'make-node /opt/new/pipe',
    ]);
  });

  it('removed trees, the deepest first', async () => {
    const operations = await throughCapture(async (filesystem) => {
      for (const path of ['/usr/share/app/help/index', '/usr/share/app/help', '/usr/share/app']) {
        await filesystem.remove(path);
      }
    });
    expect(operations).toEqual([
      'remove /usr/share/app/help/index',
      'remove /usr/share/app/help',
      'remove /usr/share/app',
    ]);
  });

  it('a file that becomes a directory, a directory that becomes a link, a link that becomes a file', async () => {
    const operations = await throughCapture(async (filesystem) => {
      await filesystem.remove('/usr/bin/app');
      await filesystem.put('/usr/bin/app/main', 'now a directory');
      await filesystem.remove('/usr/share/app/help/index');
      await filesystem.remove('/usr/share/app/help');
      await filesystem.symlink('/usr/share/app/help', '/usr/share/zone', root);
      await filesystem.writeFile('/usr/bin/tool', bytes('a file'), root);
    });
    expect(operations).toEqual([
      'remove /usr/share/app/help/index',
      'remove /usr/share/app/help',
      'remove /usr/bin/app',
      'make-directory /usr/bin/app',
      'put-file /usr/bin/app/main',
      'put-file /usr/bin/tool',
      'make-symlink /usr/share/app/help',
    ]);
  });

  it('a hard-linked file written in place, which changes under all its names', async () => {
    const operations = await throughCapture(async (filesystem) => {
      await filesystem.writeFile('/usr/share/zone/Berlin', bytes('new zone'), root);
      await filesystem.link('/usr/share/zone/Berlin', '/usr/share/zone/Rome');
      await filesystem.link('/usr/share/zone/Berlin', '/usr/share/zone/Vienna');
    });
    expect(operations).toEqual([
      'put-file /usr/share/zone/Berlin',
      'make-hard-link /usr/share/zone/Rome',
      'make-hard-link /usr/share/zone/Vienna',
    ]);
  });

  it('hard links made, broken and joined, content unchanged', async () => {
    expect(
      await throughCapture((filesystem) => filesystem.link('/usr/share/zone/Rome', '/usr/share/zone/Milan')),
    ).toEqual(['make-hard-link /usr/share/zone/Milan']);
    expect(
      await throughCapture((filesystem) =>
        filesystem.writeFile('/usr/share/zone/Rome', bytes('central europe'), root),
      ),
    ).toEqual(['put-file /usr/share/zone/Rome']);
    expect(await throughCapture((filesystem) => filesystem.remove('/usr/share/zone/Berlin'))).toEqual([
      'remove /usr/share/zone/Berlin',
    ]);
  });

  it('mode of a hard-linked file', async () => {
    const operations = await throughCapture((filesystem) =>
      filesystem.setMetadata('/usr/share/zone/Rome', { ...root, mode: 0o600, mtimeNs: 5n }),
    );
    expect(operations).toEqual([
      'set-metadata /usr/share/zone/Berlin',
      'set-metadata /usr/share/zone/Rome',
      'set-metadata /usr/share/zone/Vienna',
    ]);
  });

  it('files on a second filesystem, where inode numbers begin again', async () => {
    const [before, home] = [await machine(), await machine()];
    await before.put('/home/keep', '');
    await home.put('/ann/keep', '');
    await Promise.all([before.remove('/home/keep'), home.remove('/ann/keep')]);
    const [after, homeAfter] = [before.clone(), home.clone()];
    await after.put('/usr/bin/new', 'x');
    await after.link('/usr/bin/new', '/usr/bin/newer');
    await homeAfter.put('/ann/new', 'y');
    await homeAfter.link('/ann/new', '/ann/newer');
    expect((await after.lstat('/usr/bin/new'))!.inode).toBe((await homeAfter.lstat('/ann/new'))!.inode);
    const image = (filesystem: MemoryFilesystem, mounted: MemoryFilesystem) =>
      new MemoryImage(filesystem, { mounts: { '/home': mounted } });
    const captured = await captureUpdate(image(before, home), image(after, homeAfter));
    const member = image(before.clone(), home.clone());
    await applyCaptured(captured, member);
    expect(await listImage(member)).toEqual(await listImage(image(after, homeAfter)));
    expect(captured.manifest.operations).toHaveLength(4);
  });
});

describe('what is no change, or no part of the update', () => {
  it('a file rewritten with the same content makes no operation', async () => {
    const before = await machine();
    const after = before.clone();
    await after.writeFile('/etc/app.conf', bytes('colour = red\n'), { ...root, mtimeNs: 7n });
    const captured = await captureUpdate(new MemoryImage(before), new MemoryImage(after));
    expect(captured.manifest.operations).toEqual([]);
    expect(captured.manifest.times.map(({ path }) => path)).toEqual(['/etc', '/etc/app.conf']);
  });

  it('but it gets the new time, and a machine where it is otherwise does not match: its own update would put it back', async () => {
    const before = await machine();
    const after = before.clone();
    await after.writeFile('/usr/bin/app', bytes('version 1'), { ...root, mode: 0o755, mtimeNs: 7n });
    await after.put('/usr/bin/new', 'new');
    const captured = await captureUpdate(new MemoryImage(before), new MemoryImage(after));
    const [same, own, without] = [before.clone(), before.clone(), before.clone()];
    await own.put('/usr/bin/app', 'own version', { mode: 0o755 });
    await without.remove('/usr/bin/app');
    await applyCaptured(captured, new MemoryImage(same));
    expect(await same.lstat('/usr/bin/app')).toMatchObject({ mode: 0o755, mtimeNs: 7n });
    for (const member of [own, without]) {
      const { differences } = await matchImage(captured.manifest, new MemoryImage(member));
      expect(differences.map(({ path }) => path)).toEqual(['/usr/bin/app']);
    }
  });

  it('reads no content of a file whose inode did not change', async () => {
    const before = await machine();
    const after = before.clone();
    await after.writeFile('/etc/app.conf', bytes('colour = blue\n'), root);
    before.contentReads.clear();
    await captureUpdate(new MemoryImage(before), new MemoryImage(after));
    expect([...before.contentReads.keys()]).toEqual(['/etc/app.conf']);
    expect([...after.contentReads.keys()]).toEqual(['/etc/app.conf']);
  });

  it('leaves out volatile paths and sockets, and says why', async () => {
    const before = await machine();
    const after = before.clone();
    await after.put('/var/log/app.log', 'started\nstarted again\n');
    await after.put('/var/lib/systemd/random-seed', 'seed');
    await after.put('/var/cache/ldconfig/aux-cache', 'cache');
    await after.mknod('/usr/share/app/socket', 'socket', { major: 0, minor: 0 }, root);
    const { manifest } = await captureUpdate(new MemoryImage(before), new MemoryImage(after));
    expect(manifest.leftOut.paths.map(({ path }) => path)).toEqual([
      '/usr/share/app/socket',
      '/var/cache/ldconfig/aux-cache',
      '/var/lib/systemd/random-seed',
      '/var/log/app.log',
    ]);
    expect(manifest.leftOut.paths[1]!.reason).toBe('a cache that its owner makes again when it needs it');
    expect(manifest.warnings).toEqual([
      '/var/lib/systemd/random-seed is new and two machines must never have the same random seed: a machine patched offline lacks it until something makes it there',
    ]);
    expect(manifest.operations.map(({ path }) => path)).toEqual([
      '/var/cache',
      '/var/cache/ldconfig',
      '/var/lib',
      '/var/lib/systemd',
    ]);
  });

  it('refuses a file that is too large to be carried', async () => {
    const before = await machine();
    const after = before.clone();
    await after.put('/srv/database', 'x');
    const statOf = after.scan.bind(after);
    // As if it were sparse: no such content is ever in memory.
    after.scan = async function* () {
      for await (const { path, stat } of statOf()) {
        yield { path, stat: path === '/srv/database' ? { ...stat, sizeBytes: 2 ** 31 } : stat };
      }
    };
    await expect(captureUpdate(new MemoryImage(before), new MemoryImage(after))).rejects.toMatchObject({
      name: 'CaptureError',
      facts: { path: '/srv/database' },
    });
  });

  it('refuses images of two operating systems', async () => {
    const filesystem = await machine();
    const other = new MemoryImage(filesystem, { os: { id: 'fedora' } });
    await expect(captureUpdate(new MemoryImage(filesystem), other)).rejects.toMatchObject({
      name: 'CaptureError',
    });
  });
});
