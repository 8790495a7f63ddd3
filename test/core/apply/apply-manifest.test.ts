import { applyManifest } from '../../../core/apply/apply-manifest';
import type { ApplyEngine, ResolvedOperation } from '../../../core/apply/apply-engine';
import { DirectEngine } from '../../../core/apply/direct-engine';
import { MemoryPackStore } from '../../../core/chunk-store/memory-pack-store';
import { listImage } from '../../support/image-listing';
import { lineCodecFor } from '../../support/line-records';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { applyCaptured, captureUpdate, type CapturedUpdate } from '../../support/pipeline';

async function machine(sizeBytes?: number): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem({ sizeBytes });
  await filesystem.put('/etc/app.conf', 'one');
  await filesystem.put('/usr/bin/app', 'version 1');
  return filesystem;
}

async function theUpdate(): Promise<CapturedUpdate> {
  const before = await machine();
  const after = before.clone();
  await after.put('/etc/app.conf', 'two');
  await after.put('/usr/bin/app', 'version 2'.repeat(1000));
  await after.put('/usr/lib/app/plugin', 'plugin');
  return captureUpdate(new MemoryImage(before), new MemoryImage(after));
}

/** The direct engine, with something done to each operation on its way. */
function engineWith(change: (operation: ResolvedOperation) => ResolvedOperation | undefined): ApplyEngine {
  return {
    name: 'direct',
    perform: (mounts, operations) =>
      new DirectEngine().perform(
        mounts,
        (async function* () {
          for await (const operation of operations) {
            const changed = change(operation);
            if (changed !== undefined) yield changed;
          }
        })(),
      ),
  };
}

function applyWith(engine: ApplyEngine, { manifest, packs }: CapturedUpdate, image: MemoryImage) {
  return applyManifest({ manifest, image, packs, engine, codecFor: lineCodecFor });
}

describe('applyManifest', () => {
  it('says what it did', async () => {
    expect(await applyCaptured(await theUpdate(), new MemoryImage(await machine()))).toEqual({
      engine: 'direct',
      // Three files and two directories.
      operations: 5,
      contentBytes: 3 + 9000 + 6,
      alreadyPatched: false,
    });
  });

  it('writes nothing where an entry differs, and names it', async () => {
    const filesystem = await machine();
    await filesystem.put('/usr/lib/app/plugin', 'own');
    const listed = await listImage(new MemoryImage(filesystem));
    await expect(applyCaptured(await theUpdate(), new MemoryImage(filesystem))).rejects.toMatchObject({
      name: 'ManifestMismatchError',
      found: {
        differences: expect.arrayContaining([expect.objectContaining({ path: '/usr/lib/app/plugin' })]),
      },
    });
    expect(await listImage(new MemoryImage(filesystem))).toEqual(listed);
  });

  it('writes nothing where there is no room', async () => {
    const filesystem = await machine(20_000);
    const listed = await listImage(new MemoryImage(filesystem));
    await expect(applyCaptured(await theUpdate(), new MemoryImage(filesystem))).rejects.toMatchObject({
      name: 'NotEnoughSpaceError',
      facts: { mountPoint: '/', freeBytes: 20_000 - 12 },
    });
    expect(await listImage(new MemoryImage(filesystem))).toEqual(listed);
  });

  it('stops at a content whose bytes are not its own', async () => {
    const update = await theUpdate();
    for (const bytes of update.packs.packs.values()) bytes[20]! ^= 1;
    await expect(applyCaptured(update, new MemoryImage(await machine()))).rejects.toMatchObject({
      name: 'PackInvalidError',
    });
    const withoutPacks = { ...update, packs: new MemoryPackStore() };
    await expect(applyCaptured(withoutPacks, new MemoryImage(await machine()))).rejects.toMatchObject({
      name: 'PackMissingError',
    });
  });

  it('finds an entry that an engine left out, wrote wrong, or gave a wrong owner', async () => {
    const update = await theUpdate();
    const broken: ((operation: ResolvedOperation) => ResolvedOperation | undefined)[] = [
      (operation) => (operation.path === '/etc/app.conf' ? undefined : operation),
      (operation) =>
        operation.kind === 'put-file' ? { ...operation, content: operation.content.slice(1) } : operation,
      (operation) =>
        operation.kind === 'put-file'
          ? { ...operation, metadata: { ...operation.metadata, uid: 1 } }
          : operation,
    ];
    for (const change of broken) {
      const image = new MemoryImage(await machine());
      await expect(applyWith(engineWith(change), update, image)).rejects.toMatchObject({
        name: 'ApplyVerificationError',
        message: expect.stringContaining('/etc/app.conf'),
      });
    }
  });

  it('does not take an image whose filesystem does not hang together afterwards', async () => {
    const filesystem = await machine();
    filesystem.check = async () => ['block 7 is used twice'];
    await expect(applyCaptured(await theUpdate(), new MemoryImage(filesystem))).rejects.toMatchObject({
      name: 'ApplyVerificationError',
      facts: { problems: ['block 7 is used twice'] },
    });
  });

  it('names the operation that a filesystem could not do, and keeps the cause', async () => {
    const filesystem = await machine();
    const cause = new Error('disk on fire.');
    filesystem.writeFile = async () => {
      throw cause;
    };
    await expect(applyCaptured(await theUpdate(), new MemoryImage(filesystem))).rejects.toMatchObject({
      name: 'ApplyError',
      message: 'put-file /etc/app.conf failed: disk on fire.',
      facts: { operation: 'put-file', path: '/etc/app.conf' },
      cause,
    });
  });

  it('makes no hard link across the mounts of a machine', async () => {
    const before = await machine();
    const after = before.clone();
    await after.put('/usr/share/x', 'x');
    await after.link('/usr/share/x', '/usr/bin/x');
    const update = await captureUpdate(new MemoryImage(before), new MemoryImage(after));
    const member = before.clone();
    await member.mkdir('/usr/share', { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n, xattrs: new Map() });
    const image = new MemoryImage(member, { mounts: { '/usr/share': new MemoryFilesystem() } });
    await expect(applyCaptured(update, image)).rejects.toMatchObject({
      name: 'ApplyError',
      facts: { operation: 'make-hard-link' },
    });
  });

  it('finishes what was half done', async () => {
    const update = await theUpdate();
    const filesystem = await machine();
    await filesystem.put('/etc/app.conf', 'two');
    expect(await applyCaptured(update, new MemoryImage(filesystem))).toMatchObject({ operations: 4 });
  });
});
