import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { applyManifest } from '../../../core/apply/apply-manifest';
import { DirectEngine } from '../../../core/apply/direct-engine';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';
import { VOLATILE_PATHS, volatileRule } from '../../../core/capture/volatile-paths';
import type { Image } from '../../../core/image/image';
import { openImage, openWritableImage } from '../../../core/image/open-image';
import { matchImage } from '../../../core/match/match-image';
import { installedPackages } from '../../../core/records/installed-packages';
import { readRecordFile } from '../../../core/records/read-record-file';
import { codecFor } from '../../../core/records/registry';
import { compareSegments } from '../../../core/records/rpm/rpm-version';
import { packagesScript } from '../../../core/update/packages-script';
import type { PackagesUpdate } from '../../../core/update/update';
import { FileBlockDevice } from '../../support/file-block-device';
import { flushOverlay } from '../../support/flush-overlay';
import { e2fsck, ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../support/mounted-image';
import { captureUpdate, type CapturedUpdate } from '../../support/pipeline';
import { DNF_HISTORY, RPMDB, RpmMachines } from '../../support/rpm-machines';

const run = promisify(execFile);

/**
 * The whole way of an update on machines of rpm and dnf: real packages, real ext4 volumes, judged by what dnf itself does.
 * The member has other packages, installed at another time and in another order, and one of them for another reason;
 * patched offline it must be what it is when dnf updates it.
 */
let folder: ImageFolder;
let machines: RpmMachines;
const image = (name: string): string => folder.image(name);

const MACHINES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  representative: [['imageelves-release', 'fleet-banner', 'fleet-lib']],
  // fleet-lib comes with fleet-extra here: nobody asked for it.
  member: [['imageelves-release', 'fleet-extra'], ['fleet-banner']],
  // Needs fleet-lib as it was.
  plugin: [['imageelves-release', 'fleet-banner', 'fleet-lib', 'fleet-plugin']],
  // Does something of its own when fleet-lib is installed.
  watch: [['imageelves-release', 'fleet-banner', 'fleet-lib', 'fleet-watch']],
  // What the update brings takes the place of fleet-old.
  obsoleted: [['imageelves-release', 'fleet-banner', 'fleet-lib', 'fleet-old']],
};

beforeAll(async () => {
  folder = await ImageFolder.make();
  machines = await RpmMachines.make(join(folder.path, 'rpm'));
  await Promise.all(
    Object.entries(MACHINES).map(async ([name, steps]) => {
      const tree = join(folder.path, name);
      await machines.install(tree, ...steps);
      await makeImage(image(name), 32, ['mkfs.ext4', '-q', '-F', '-d', tree]);
      await rm(tree, { recursive: true });
    }),
  );
  await machines.publishUpdates();
}, 120_000);

afterAll(async () => {
  await folder[Symbol.asyncDispose]();
}, 60_000);

/** Shell lines on a volume, with rpm and dnf working on it; what the system itself needs to run is not there. */
function onMachine(name: string, commands: string): Promise<string> {
  const { PATH: programs, ...others } = machines.environment();
  const environment = { ...others, COMMANDS: commands, PROGRAMS: programs };
  return onMountedImage(image(name), 'ROOT=$MNT PATH=$PROGRAMS sh -euc "$COMMANDS"', { environment });
}

async function withImage<T>(name: string, use: (opened: Image) => Promise<T>): Promise<T> {
  await using device = await FileBlockDevice.open(image(name));
  return await use(
    await openImage([{ volumeId: `vol-${name}`, deviceName: '/dev/xvda', isRoot: true, device }]),
  );
}

async function applyTo(name: string, { manifest, packs }: CapturedUpdate): Promise<void> {
  await using base = await FileBlockDevice.open(image(name));
  const overlay = new OverlayBlockDevice(base);
  const volume = { volumeId: `vol-${name}`, deviceName: '/dev/xvda', isRoot: true, device: overlay };
  await applyManifest({
    manifest,
    packs,
    image: await openWritableImage([volume]),
    engine: new DirectEngine(),
  });
  await flushOverlay(overlay, image(name));
}

async function updateOnline(name: string, update: PackagesUpdate): Promise<void> {
  await run('cp', ['--sparse=always', image(name), image(`${name}-updated`)]);
  await onMachine(`${name}-updated`, packagesScript(update.select).join('\n'));
}

/** Every entry but for what no update keeps, times of this day, and the databases: they are compared by record. */
async function listing(name: string): Promise<Map<string, string>> {
  const isVolatile = volatileRule(VOLATILE_PATHS);
  const lines = new Map<string, string>();
  for (const line of (await onMountedImage(image(name), LIST_TREE)).split('\n')) {
    if (!line.includes('"path"')) continue;
    const { inode: _inode, ctimeNs: _ctime, mtimeNs: _mtime, ...entry } = JSON.parse(line);
    if (isVolatile(entry.path) !== undefined) continue;
    if (entry.type === 'directory' || /\.sqlite(-wal)?$/.test(entry.path)) {
      delete entry.sizeBytes;
      delete entry.content;
      delete entry.sha256;
    }
    lines.set(entry.path, JSON.stringify(entry));
  }
  return lines;
}

async function recordsOf(name: string, path: string): Promise<string[]> {
  const { records } = await withImage(name, (opened) => readRecordFile(opened, path, codecFor(path)!));
  return [...records].map(([key, bytes]) => `${key} ${Buffer.from(bytes).toString('latin1')}`).sort();
}

/** What rpm and dnf say of a machine. */
const JUDGE = `
  set +e
  PATH="$PATH:/usr/bin:/bin"
  rpm -qa --qf '%{nevra}\\n' | sort
  rpm --verifydb
  rpm -Va
  for name in fleet-banner fleet-lib fleet-new; do
    rpm -q --whatprovides "$name"; rpm -q --whatrequires "$name"; rpm -qf "/usr/bin/$name"
    rpm -ql --scripts --changelog "$name"; rpm -qi "$name" | grep -v '^Install Date'
  done
  dnf -q repoquery --installed --qf '%{name} %{reason} %{from_repo}'
  dnf -q check
  dnf -q history info last | grep -v -e ' time ' -e rpmdb -e 'Command Line'
  true`;

/** The tables by which rpm finds packages, with names in the place of numbers: as they are, and as rpm makes them anew. */
const INDEX_TABLES = `
  cp -r "$MNT${RPMDB.replace(/\/[^/]*$/, '')}" "$WORK/rpmdb"
  list() {
    for table in $(sqlite3 "$WORK/rpmdb/rpmdb.sqlite" "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'Packages'"); do
      sqlite3 "$WORK/rpmdb/rpmdb.sqlite" "SELECT '$table', hex(t.key), n.key, t.idx FROM '$table' t JOIN Name n ON n.hnum = t.hnum" | sort
    done
  }
  list > "$WORK/as-found"
  rpmdb --rebuilddb --dbpath "$WORK/rpmdb"
  list | diff "$WORK/as-found" - && wc -l < "$WORK/as-found"
  rm -r "$WORK/rpmdb"`;

async function judged(name: string): Promise<string> {
  const sound = `for file in ${RPMDB} ${DNF_HISTORY}; do sqlite3 "$MNT$file" 'PRAGMA integrity_check; PRAGMA foreign_key_check'; done`;
  expect(await onMountedImage(image(name), sound)).toBe('ok\nok\n');
  const environment = { WORK: folder.path };
  expect(Number(await onMountedImage(image(name), INDEX_TABLES, { environment }))).toBeGreaterThan(30);
  return onMachine(name, JUDGE);
}

const updates: readonly PackagesUpdate[] = [
  { kind: 'packages', name: 'security', select: 'security' },
  { kind: 'packages', name: 'banner', select: ['fleet-banner', 'fleet-nowhere'] },
];

/** Machines on which dnf would do something else, by the update and why. */
const REFUSED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  security: {
    plugin: 'nothing provides fleet-lib = 1',
    watch: 'other packages take part here than on the representative: trigger of fleet-watch.noarch',
  },
};

describe.each(updates)('the packages of $name', (update) => {
  let captured: CapturedUpdate;

  beforeAll(async () => {
    await Promise.all(['representative', 'member'].map((name) => updateOnline(name, update)));
    captured = await withImage('representative', (before) =>
      withImage('representative-updated', async (after) => {
        const memberPackages = new Set([
          ...(await withImage('member', installedPackages)).keys(),
          ...(await installedPackages(before)).keys(),
        ]);
        return captureUpdate(before, after, { codecFor, update, memberPackages });
      }),
    );
  }, 120_000);

  afterAll(async () => {
    for (const name of ['representative', 'member']) await run('mv', [image(`${name}-updated`), image(name)]);
  });

  it('makes of a machine with other packages what dnf makes of it', async () => {
    const match = await withImage('member', (member) => matchImage(captured.manifest, member, captured));
    expect(match).toEqual({ matched: true, alreadyPatched: false, differences: [], differenceCount: 0 });
    await run('cp', ['--sparse=always', image('member'), image('patched')]);
    await applyTo('patched', captured);
    expect(await e2fsck(image('patched'))).toBe('');

    const [found, expected] = [await listing('patched'), await listing('member-updated')];
    const paths = [...new Set([...found.keys(), ...expected.keys()])];
    expect(
      paths.flatMap((path) =>
        found.get(path) === expected.get(path) ? [] : [found.get(path), expected.get(path)],
      ),
    ).toEqual([]);
    for (const path of [RPMDB, DNF_HISTORY]) {
      expect(await recordsOf('patched', path)).toEqual(await recordsOf('member-updated', path));
    }
    const verdict = await judged('patched');
    expect(verdict).toContain('fleet-lib-2-1.noarch');
    expect(verdict).toBe(await judged('member-updated'));
    for (const [name, why] of Object.entries(REFUSED[update.name] ?? {})) {
      const refused = await withImage(name, (one) => matchImage(captured.manifest, one, captured));
      expect(refused.matched).toBe(false);
      expect(refused.differences.map((difference) => difference.why).join()).toContain(why);
    }
    const again = await withImage('member-updated', (member) => matchImage(captured.manifest, member));
    expect(again).toMatchObject({ matched: true, alreadyPatched: true });
  }, 120_000);
});

it('leaves a machine to its own run where the update would do more than on the representative', async () => {
  const update: PackagesUpdate = { kind: 'packages', name: 'all', select: 'all' };
  await updateOnline('representative', update);
  const captured = await withImage('representative', (before) =>
    withImage('representative-updated', async (after) => {
      const memberPackages = new Set((await withImage('obsoleted', installedPackages)).keys());
      return captureUpdate(before, after, { codecFor, update, memberPackages });
    }),
  );
  const match = await withImage('obsoleted', (one) => matchImage(captured.manifest, one, captured));
  expect(match.matched).toBe(false);
  expect(match.differences.map(({ record, why }) => `${record}: ${why}`)).toContain(
    'fleet-old.noarch: the update is due for this package here, and the representative does not have it in this version',
  );
}, 120_000);

it('orders versions as rpm does', async () => {
  const parts = fc.constantFrom('0', '1', '09', '10', 'a', 'Z', '~', '^', '+', '.', '_', 'rc', 'el9');
  const versions = fc.array(parts, { minLength: 1, maxLength: 6 }).map((some) => some.join(''));
  const pairs = fc.sample(fc.tuple(versions, versions), 500);
  const lua = pairs.map(([a, b]) => `print(rpm.vercmp('${a}','${b}')..' ')`).join(' ');
  const { stdout } = await run('rpm', ['--eval', `%{lua: ${lua}}`]);
  const orders = stdout.trim().split(' ').map(Number);
  expect(pairs.map(([a, b]) => Math.sign(compareSegments(a, b)))).toEqual(orders);
});
