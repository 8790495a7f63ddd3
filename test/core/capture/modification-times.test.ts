import { listImage } from '../../support/image-listing';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { applyCaptured, captureUpdate } from '../../support/pipeline';

const NEW_TIME_NS = 1_800_000_000_123_456_789n;
const none = new Map<string, Uint8Array>();
const plain = { mode: 0o644, uid: 0, gid: 0, xattrs: none };
const bytes = (text: string) => new TextEncoder().encode(text);

async function machine(): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put('/usr/lib/python3/same.py', 'same in both versions');
  await filesystem.put('/usr/lib/python3/other.py', 'version 1');
  await filesystem.symlink('/usr/lib/same.so', 'same.so.1', { ...plain, mtimeNs: 1n });
  await filesystem.put('/srv/untouched', 'of no package');
  await filesystem.put('/var/log/app.log', 'started');
  await filesystem.put('/tmp/scratch', '');
  return filesystem;
}

/** What a package manager does: each file written beside the old one, and renamed over it. */
async function unpackNewVersion(filesystem: MemoryFilesystem): Promise<void> {
  const metadata = { ...plain, mtimeNs: NEW_TIME_NS };
  await filesystem.writeFile('/usr/lib/python3/same.py', bytes('same in both versions'), metadata);
  await filesystem.writeFile('/usr/lib/python3/other.py', bytes('version 2'), metadata);
  await filesystem.symlink('/usr/lib/same.so', 'same.so.1', metadata);
  await filesystem.writeFile('/var/log/app.log', bytes('started'), metadata);
  await filesystem.remove('/tmp/scratch');
}

async function captured() {
  const before = await machine();
  const after = before.clone();
  await unpackNewVersion(after);
  // What only its time changed of, and no file of the update lies in.
  await after.setModificationTimes([{ path: '/srv', mtimeNs: NEW_TIME_NS }]);
  return { before, after, update: await captureUpdate(new MemoryImage(before), new MemoryImage(after)) };
}

it('carries the times of entries written anew with what they held, and of the directories they lie in', async () => {
  const { after, update } = await captured();
  expect(update.manifest.operations.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'put-file /usr/lib/python3/other.py',
  ]);
  const timeOf = async (path: string) => ({ path, mtimeNs: String((await after.lstat(path))!.mtimeNs) });
  expect(update.manifest.times).toEqual([
    await timeOf('/usr/lib'),
    await timeOf('/usr/lib/python3'),
    { path: '/usr/lib/python3/same.py', mtimeNs: String(NEW_TIME_NS) },
    { path: '/usr/lib/same.so', mtimeNs: String(NEW_TIME_NS) },
  ]);
});

it('makes the times of a patched machine those of the representative', async () => {
  const { before, after, update } = await captured();
  const member = new MemoryImage(before.clone());
  await applyCaptured(update, member);
  const [patched, expected] = [await listImage(member), await listImage(new MemoryImage(after))];
  for (const path of ['/srv', '/tmp', '/tmp/scratch', '/var/log', '/var/log/app.log']) {
    delete patched[path];
    delete expected[path];
  }
  expect(patched).toEqual(expected);
});

it('changes nothing but the time, and leaves alone what is missing or protected', async () => {
  const { before, update: whole } = await captured();
  // Such a machine does not match, by what the update read; times are a matter of their own.
  const { reads: _, ...manifest } = whole.manifest;
  const update = { ...whole, manifest };
  const member = before.clone();
  await member.remove('/usr/lib/same.so');
  await member.setMetadata('/usr/lib/python3/same.py', {
    ...plain,
    mode: 0o600,
    mtimeNs: 5n,
    xattrs: new Map([['user.own', bytes('kept')]]),
  });
  const image = new MemoryImage(member);
  await applyCaptured(update, image);
  expect(await image.lstat('/usr/lib/same.so')).toBeUndefined();
  expect(await image.lstat('/usr/lib/python3/same.py')).toMatchObject({ mode: 0o600, mtimeNs: NEW_TIME_NS });
  expect((await image.xattrs('/usr/lib/python3/same.py')).get('user.own')).toEqual(bytes('kept'));

  const guarded = before.clone();
  guarded.setFlags('/usr/lib/python3/same.py', { immutable: true });
  const old = (await guarded.lstat('/usr/lib/python3/same.py'))!.mtimeNs;
  await applyCaptured(update, new MemoryImage(guarded));
  expect((await guarded.lstat('/usr/lib/python3/same.py'))!.mtimeNs).toBe(old);
});
