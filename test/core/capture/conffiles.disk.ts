import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { codecFor } from '../../../core/records/registry';
import { matchImage } from '../../../core/match/match-image';
import { listImage } from '../../support/image-listing';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate, type CapturedUpdate } from '../../support/pipeline';
import { applyManifest } from '../../../core/apply/apply-manifest';
import { treeInMemory } from '../../support/tree-in-memory';

const run = promisify(execFile);
/** What the updates that this project makes ask of dpkg(1) (core/update/packages-script.ts). */
const OPTIONS = ['--force-confdef', '--force-confold', '--force-not-root', '--force-script-chrootless'];

/**
 * A configuration file that was changed locally follows dpkg's own rule, on each machine: machines with equal settings
 * are of one class. dpkg itself is the judge; its packages have no scripts, so that it needs no chroot.
 */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conffiles-'));
  await makePackage('1.0', { '/etc/app/app.conf': 'colour = red\n', '/usr/bin/app': 'one' });
  await makePackage('2.0', { '/etc/app/app.conf': 'colour = blue\nsize = 1\n', '/usr/bin/app': 'two' });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

async function makePackage(version: string, files: Readonly<Record<string, string>>): Promise<void> {
  const root = join(folder, version);
  const control = `Package: app\nVersion: ${version}\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: test\n`;
  await put(join(root, 'DEBIAN/control'), control);
  await put(join(root, 'DEBIAN/conffiles'), '/etc/app/app.conf\n');
  for (const [path, text] of Object.entries(files)) await put(join(root, path), text);
  await run('dpkg-deb', ['--build', '--root-owner-group', root, join(folder, `app_${version}.deb`)]);
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function install(root: string, version: string): Promise<void> {
  await run('dpkg', [`--root=${root}`, ...OPTIONS, '--install', join(folder, `app_${version}.deb`)]);
}

/** A machine with version 1.0, before and after its own dpkg brought it to 2.0. */
async function machine(name: string, edit?: (root: string) => Promise<void>) {
  const [before, after] = [join(folder, name), join(folder, `${name}-after`)];
  for (const directory of ['info', 'updates', 'triggers', 'parts']) {
    await mkdir(join(before, 'var/lib/dpkg', directory), { recursive: true });
  }
  await put(join(before, 'var/lib/dpkg/status'), '');
  await put(join(before, 'var/lib/dpkg/available'), '');
  await put(join(before, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await install(before, '1.0');
  await edit?.(before);
  await cp(before, after, { recursive: true, preserveTimestamps: true });
  await install(after, '2.0');
  const [was, became] = [await treeInMemory(before), await treeInMemory(after)];
  return {
    was: new MemoryImage(was),
    became: new MemoryImage(became),
    fresh: () => new MemoryImage(was.clone()),
  };
}
type Machine = Awaited<ReturnType<typeof machine>>;

const captured = ({ was, became }: Machine): Promise<CapturedUpdate> =>
  captureUpdate(was, became, {
    codecFor,
    update: { name: 'upgrade', kind: 'script', commands: ['dpkg --install app.deb'] },
  });

async function patched({ manifest, packs }: CapturedUpdate, to: Machine) {
  const image = to.fresh();
  await applyManifest({ manifest, image, packs, codecFor });
  return settled(image);
}

/** Times, logs, locks and backups of tables are no part of the comparison. */
async function settled(image: MemoryImage): Promise<string[]> {
  const entries = Object.entries(await listImage(image)).map(([path, facts]) =>
    [path, ...String(facts).split(' | ').slice(0, 5)].join(' '),
  );
  return entries.filter((entry) => !/\/(lock[^/]*|Lock|[a-z]+-old|dpkg\.log) /.test(entry)).sort();
}

const edited = (text: string) => (root: string) => writeFile(join(root, 'etc/app/app.conf'), text);

describe('settings changed locally', () => {
  it('keep a machine out of the class that gets new ones, and the reason names the file', async () => {
    const [plain, twin, local] = [
      await machine('plain'),
      await machine('twin'),
      await machine('local', edited('colour = green\n')),
    ];
    const update = await captured(plain);
    expect(await patched(update, twin)).toEqual(await settled(twin.became));
    const { matched, differences } = await matchImage(update.manifest, local.was, {
      packs: update.packs,
      codecFor,
    });
    expect(matched).toBe(false);
    expect(differences.map(({ path }) => path)).toEqual(['/etc/app/app.conf']);
  }, 60_000);

  it('are kept with the new ones beside, on every machine with the same changes, and on no other', async () => {
    const [local, same, plain, other] = [
      await machine('local-1', edited('colour = green\n')),
      await machine('local-2', edited('colour = green\n')),
      await machine('plain-2'),
      await machine('other', edited('colour = black\n')),
    ];
    const update = await captured(local);
    const paths = update.manifest.operations.map(({ path }) => path);
    expect(paths).toContain('/etc/app/app.conf.dpkg-dist');
    expect(paths).not.toContain('/etc/app/app.conf');
    expect(await patched(update, same)).toEqual(await settled(same.became));
    for (const { was } of [plain, other]) {
      const { matched, differences } = await matchImage(update.manifest, was, {
        packs: update.packs,
        codecFor,
      });
      expect(matched).toBe(false);
      expect(differences.map(({ path }) => path)).toEqual(['/etc/app/app.conf']);
    }
  }, 60_000);

  it('that are what the new version brings, or are gone, follow the same rule', async () => {
    const [plain, ahead, gone] = [
      await machine('plain-3'),
      await machine('ahead', edited('colour = blue\nsize = 1\n')),
      await machine('gone', (root) => rm(join(root, 'etc/app/app.conf'))),
    ];
    const update = await captured(plain);
    expect(await patched(update, ahead)).toEqual(await settled(ahead.became));
    expect((await matchImage(update.manifest, gone.was, { packs: update.packs, codecFor })).matched).toBe(
      false,
    );
  }, 60_000);
});
