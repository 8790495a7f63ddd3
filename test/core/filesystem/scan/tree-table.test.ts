import { encodeName } from '../../../../core/bytes/names';
import { CorruptFilesystemError } from '../../../../core/filesystem/errors';
import type { ScannedEntry } from '../../../../core/filesystem/filesystem';
import { EntryStream } from '../../../../core/filesystem/scan/entry-stream';
import { type InodeFacts, TreeTable } from '../../../../core/filesystem/scan/tree-table';
import { walkTree } from '../../../../core/filesystem/scan/walk-tree';

const ROOT = 2;
const FILE: InodeFacts = {
  mode: 0o100644,
  uid: 0,
  gid: 0,
  links: 1,
  sizeBytes: 0,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  ctimeSeconds: 0,
  ctimeNanoseconds: 0,
  major: 0,
  minor: 0,
  immutable: false,
  appendOnly: false,
};
const DIRECTORY: InodeFacts = { ...FILE, mode: 0o40755, links: 2 };

function add(table: TreeTable, directory: number, name: string, inode: number): void {
  const bytes = encodeName(name);
  table.addEntry(table.rowOf(directory)!, bytes, 0, bytes.length, inode);
}

function tableWithRoot(): TreeTable {
  const table = new TreeTable();
  table.put(ROOT, DIRECTORY);
  return table;
}

function walk(table: TreeTable): ScannedEntry[] {
  return [...walkTree(table, ROOT)].flat();
}

test('what was put comes out as it was: owners, sizes beyond 4 GiB, times before 1970 and after 2038, devices, marks', () => {
  const table = tableWithRoot();
  table.put(0x12_3456_7890, {
    ...FILE,
    mode: 0o104755,
    uid: 0xffff_fffe,
    gid: 100_000,
    links: 65_000,
    sizeBytes: 2 ** 44 + 5,
    mtimeSeconds: -(2 ** 31),
    mtimeNanoseconds: 999_999_999,
    ctimeSeconds: 15_032_385_535,
    ctimeNanoseconds: 1,
    immutable: true,
    appendOnly: true,
  });
  table.put(77, { ...FILE, mode: 0o60600, major: 4095, minor: 0xfffff });
  add(table, ROOT, 'large', 0x12_3456_7890);
  add(table, ROOT, 'device', 77);
  const byPath = new Map(walk(table).map(({ path, stat }) => [path, stat]));
  expect(byPath.get('/large')).toEqual({
    inode: 0x12_3456_7890,
    type: 'file',
    mode: 0o4755,
    uid: 0xffff_fffe,
    gid: 100_000,
    links: 65_000,
    sizeBytes: 2 ** 44 + 5,
    mtimeNs: BigInt(-(2 ** 31)) * 1_000_000_000n + 999_999_999n,
    ctimeNs: 15_032_385_535_000_000_001n,
    immutable: true,
    appendOnly: true,
  });
  expect(byPath.get('/device')).toMatchObject({
    type: 'block-device',
    device: { major: 4095, minor: 0xfffff },
  });
});

test('every kind of name comes back, over several pages of names', () => {
  const table = tableWithRoot();
  table.put(11, FILE);
  const names = [
    'a',
    'ä',
    '\udc80\udcff',
    'x'.repeat(255),
    '日本語',
    ...Array.from({ length: 70_000 }, (_, n) => `${'long-'.repeat(14)}${n}`),
  ];
  for (const name of names) add(table, ROOT, name, 11);
  const found = walk(table).map(({ path }) => path.slice(1));
  expect(new Set(found)).toEqual(new Set(['', ...names]));
});

test('parents come before their children, to any depth', () => {
  const table = tableWithRoot();
  for (let depth = 0; depth < 2000; depth++) {
    table.put(100 + depth, DIRECTORY);
    add(table, depth === 0 ? ROOT : 99 + depth, 'd', 100 + depth);
  }
  const paths = walk(table).map(({ path }) => path);
  expect(paths).toHaveLength(2001);
  expect(paths.at(-1)).toBe('/d'.repeat(2000));
});

test.each<[string, (table: TreeTable) => void, RegExp]>([
  [
    'a name twice',
    (table) => (table.put(11, FILE), add(table, ROOT, 'a', 11), add(table, ROOT, 'a', 11)),
    /name twice/,
  ],
  ['an inode that is not in use', (table) => add(table, ROOT, 'a', 12), /not in use/],
  [
    'a directory with two paths',
    (table) => (table.put(11, DIRECTORY), add(table, ROOT, 'a', 11), add(table, ROOT, 'b', 11)),
    /two paths/,
  ],
  ['a directory within itself', (table) => add(table, ROOT, 'a', ROOT), /two paths/],
  [
    'a damaged inode on a path',
    (table) => {
      table.putDamaged(13, new CorruptFilesystemError('inode checksum'));
      add(table, ROOT, 'a', 13);
    },
    /inode checksum/,
  ],
])('%s is an error', (_, damage, message) => {
  const table = tableWithRoot();
  damage(table);
  let thrown: unknown;
  try {
    walk(table);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CorruptFilesystemError);
  expect(String(thrown)).toMatch(message);
});

test('names whose hashes meet are told apart', () => {
  // FNV-1a of 32 bits gives both the same value.
  const table = tableWithRoot();
  table.put(11, FILE);
  for (const name of ['costarring', 'liquid']) add(table, ROOT, name, 11);
  expect(
    walk(table)
      .map(({ path }) => path)
      .sort(),
  ).toEqual(['/', '/costarring', '/liquid']);
});

test('a damaged inode that no path leads to is no error', () => {
  const table = tableWithRoot();
  table.putDamaged(13, new CorruptFilesystemError('inode checksum'));
  expect(walk(table)).toHaveLength(1);
});

test('a stream gives the items of all batches, and ends its source when it is left early', async () => {
  let ended = false;
  const stream = new EntryStream<number>(async function* () {
    try {
      yield [1, 2];
      yield [];
      yield [3];
      yield [4];
    } finally {
      ended = true;
    }
  });
  const all: number[] = [];
  for await (const item of stream) all.push(item);
  expect(all).toEqual([1, 2, 3, 4]);
  ended = false;
  for await (const item of stream) if (item === 3) break;
  expect(ended).toBe(true);
});
