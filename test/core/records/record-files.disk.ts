import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { originalOf } from '../../../core/capture/backup-record-files';
import { compareDebianVersions } from '../../../core/records/debian-version';
import { debianWithPackages, inTree, unpackTree } from '../../support/debian-tree';
import { parseRecords, readRecordFiles, recordChanges, type RecordFiles } from '../../support/record-files';

const run = promisify(execFile);

/**
 * Two machines: B has packages that A has not. The same is done on both by apt and dpkg; then A's changes, record by
 * record, are merged into B's files as they were, and must give B's files as they are.
 */
const onlyOnB = ['ed', 'libxml2'];
/** Comes last in the bundle, as every certificate of the machine's own administrator. */
const certificateOfB =
  'cp /usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt /usr/local/share/ca-certificates/own.crt; sed -i "s,^mozilla/ISRG_Root_X1,!&," /etc/ca-certificates.conf; update-ca-certificates';
const steps = [
  ['installing', 'apt-get install -y --no-download openssh-server dbus vim-tiny'],
  [
    'removing, with and without configuration',
    'apt-get remove -y openssh-server vim-tiny && apt-get purge -y dbus',
  ],
  [
    'adding users and groups, removing certificate authorities',
    `adduser --system --group --home /srv/x svc && adduser svc games && groupdel operator
     sed -i 's,^mozilla/AC_RAIZ_FNMT-RCM.crt,!&,; s,^mozilla/vTrus_Root_CA.crt,!&,' /etc/ca-certificates.conf; update-ca-certificates`,
  ],
  [
    'adding a certificate authority, choosing alternatives and shells',
    `sed -i 's,^!\\(mozilla/AC_RAIZ_FNMT-RCM.crt\\),\\1,' /etc/ca-certificates.conf; update-ca-certificates
     update-alternatives --install /usr/bin/pager pager /bin/cat 90; update-alternatives --set awk /usr/bin/mawk
     add-shell /usr/bin/rescue; remove-shell /bin/rbash`,
  ],
] as const;

let folder: string;
const tree = (name: 'a' | 'b'): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'record-files-'));
  const tar = await debianWithPackages();
  await Promise.all([unpackTree(tar, tree('a')), unpackTree(tar, tree('b'))]);
  await inTree(tree('b'), `apt-get install -y --no-download ${onlyOnB.join(' ')}; ${certificateOfB}`);
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
}, 60_000);

it('keeps every byte of every record file of a real system', async () => {
  for (const name of ['a', 'b'] as const) {
    const files = await readRecordFiles(tree(name));
    expect(files.size).toBeGreaterThan(20);
    for (const [path, bytes] of files) {
      const file = parseRecords(path, bytes);
      const merged = Buffer.from(file.merge(file.records));
      expect(`${path} ${Buffer.compare(merged, bytes)}`).toBe(`${path} 0`);
    }
  }
});

describe.each(steps)('%s', (_, command) => {
  let before: { a: RecordFiles; b: RecordFiles };
  let after: { a: RecordFiles; b: RecordFiles };

  beforeAll(async () => {
    before = { a: await readRecordFiles(tree('a')), b: await readRecordFiles(tree('b')) };
    await Promise.all([inTree(tree('a'), command), inTree(tree('b'), command)]);
    after = { a: await readRecordFiles(tree('a')), b: await readRecordFiles(tree('b')) };
  }, 300_000);

  it('on one machine and merging gives the files of doing it on the other, byte for byte', () => {
    const changed = [...after.b].filter(([path, bytes]) => !before.b.get(path)?.equals(bytes));
    expect(changed.length).toBeGreaterThanOrEqual(5);
    for (const [path, bytes] of after.b) {
      if (originalOf(path) !== undefined) continue;
      expect(`${path}\n${patched(path).toString('latin1')}`).toBe(`${path}\n${bytes.toString('latin1')}`);
    }
  });

  it('gives backups of the same records', () => {
    // A backup shows its table one write earlier, when a package that B had before may not have been set up on A.
    for (const [path, bytes] of after.b) {
      if (originalOf(path) === undefined) continue;
      const keysOf = (file: Buffer): string[] => [...parseRecords(path, file).records.keys()].sort();
      expect([path, ...keysOf(patched(path))]).toEqual([path, ...keysOf(bytes)]);
    }
  });

  it('leaves files that dpkg, ldconfig, debconf and the account tools have no complaint about', async () => {
    const expected = await judge(tree('b'));
    try {
      for (const path of after.b.keys()) await writeFile(join(tree('b'), path), patched(path));
      expect(await judge(tree('b'))).toBe(expected);
    } finally {
      for (const [path, bytes] of after.b) await writeFile(join(tree('b'), path), bytes);
    }
  }, 120_000);

  /** B's file as it was, with what changed on A. A backup is a copy of what it is the backup of, as it is afterwards. */
  function patched(path: string): Buffer {
    const original = originalOf(path);
    const [from, base] =
      original !== undefined && after.a.has(original)
        ? [after.a.get(original), patched(original)]
        : [before.a.get(path), before.b.get(path)];
    const nothing = Buffer.alloc(0);
    const changes = recordChanges(
      parseRecords(path, from ?? nothing),
      parseRecords(path, after.a.get(path) ?? nothing),
    );
    return Buffer.from(parseRecords(path, base ?? nothing).merge(changes));
  }
});

/** What the files' own tools say of a tree, in one text. */
async function judge(root: string): Promise<string> {
  const { stdout: libraries } = await run('ldconfig', ['-p', '-C', join(root, 'etc/ld.so.cache')]);
  const rebuilt = join(root, 'etc/ld.so.cache.judge');
  await run('ldconfig', ['-r', root, '-X', '-C', '/etc/ld.so.cache.judge']);
  const { stdout: fromDisk } = await run('ldconfig', ['-p', '-C', rebuilt]);
  await rm(rebuilt);
  expect(withoutFileName(libraries)).toBe(withoutFileName(fromDisk));
  const { stdout: audit } = await run('dpkg', [`--root=${root}`, '--audit']);
  expect(audit).toBe('');
  const { stdout: packages } = await run('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '--list']);
  return [
    packages,
    withoutFileName(libraries),
    await inTree(
      root,
      'pwck -r -q; grpck -r; apt-mark showauto; for p in base-passwd openssh-server; do debconf-show $p | sort; done',
    ),
  ].join('\n');
}

function withoutFileName(listing: string): string {
  return listing.replace(/cache `.*'/, 'cache');
}

it('orders versions as dpkg does', () => {
  const parts = fc.constantFrom('0', '1', '09', '10', 'a', 'Z', '~', '+', '.', 'rc', 'deb12u', '-');
  const versions = fc
    .tuple(fc.option(fc.nat({ max: 2 })), fc.array(parts, { maxLength: 5 }))
    .map(([epoch, rest]) => `${epoch === null ? '' : `${epoch}:`}1${rest.join('')}`.replace(/-+$/, ''));
  fc.assert(
    fc.property(versions, versions, (a, b) => {
      const order = compareDebianVersions(a, b);
      const relation = order < 0 ? 'lt' : order > 0 ? 'gt' : 'eq';
      expect(spawnSync('dpkg', ['--compare-versions', a, relation, b]).status).toBe(0);
    }),
    { numRuns: 300 },
  );
}, 60_000);
