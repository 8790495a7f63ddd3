import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compareTrees, parseListing, type TreeEntry } from '../../cli/oracle/compare-trees';
import { NAMED_DIFFERENCES } from '../../cli/oracle/named-differences';

const entry = (change: Partial<TreeEntry> & { path: string }): TreeEntry => ({
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  inode: '7:10',
  mtime: 1,
  xattrs: {},
  content: 'a',
  ...change,
});
const tree = (...entries: TreeEntry[]) => parseListing(entries.map((one) => JSON.stringify(one)).join('\n'));
const never = async () => false;

test.each<[string, Partial<TreeEntry>, string]>([
  ['content', { content: 'b' }, 'content'],
  ['mode', { mode: 0o755 }, 'mode'],
  ['owner', { uid: 7 }, 'uid'],
  ['group', { gid: 7 }, 'gid'],
  ['type', { type: 'symlink' }, 'type'],
  ['capability', { xattrs: { 'security.capability': '01' } }, 'xattrs'],
])('a difference of %s is unexplained', async (_name, change, what) => {
  const { unexplained } = await compareTrees(
    tree(entry({ path: '/bin/x' })),
    tree(entry({ path: '/bin/x', ...change })),
    never,
  );
  expect(unexplained.map((difference) => difference.what)).toEqual([what]);
});

test('a path that only one side has is unexplained, whichever side it is', async () => {
  const one = tree(entry({ path: '/a' }));
  expect((await compareTrees(one, tree(), never)).unexplained).toHaveLength(1);
  expect((await compareTrees(tree(), one, never)).unexplained).toHaveLength(1);
});

test('hard links are compared as groups of paths, not by inode number', async () => {
  const linked = tree(entry({ path: '/a', inode: '7:1' }), entry({ path: '/b', inode: '7:1' }));
  const elsewhere = tree(entry({ path: '/a', inode: '7:9' }), entry({ path: '/b', inode: '7:9' }));
  const apart = tree(entry({ path: '/a', inode: '7:1' }), entry({ path: '/b', inode: '7:2' }));
  expect((await compareTrees(linked, elsewhere, never)).differences).toEqual([]);
  expect((await compareTrees(linked, apart, never)).unexplained.map(({ what }) => what)).toEqual([
    'hard links',
  ]);
});

test('times are not compared; records may stand in another order', async () => {
  const left = tree(entry({ path: '/var/lib/dpkg/status', mtime: 1, content: 'a' }));
  const right = tree(entry({ path: '/var/lib/dpkg/status', mtime: 2, content: 'b' }));
  expect((await compareTrees(left, right, async () => true)).differences).toEqual([]);
});

test('a named difference is listed and explained', async () => {
  const { differences, unexplained } = await compareTrees(
    tree(entry({ path: '/var/log/dpkg.log' })),
    tree(),
    never,
  );
  expect(differences[0]?.named?.reason).toContain('logs');
  expect(unexplained).toEqual([]);
});

test('docs/oracle.md lists every named difference with its reason, and no other', () => {
  const text = readFileSync(path.resolve(__dirname, '../../docs/oracle.md'), 'utf8');
  const table = text.slice(
    text.indexOf('## Named differences'),
    text.indexOf('<!-- differences of cases -->'),
  );
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const expected = NAMED_DIFFERENCES.map(
    ({ shown, reason }) =>
      `| ${shown
        .split(', ')
        .map((where) => `\`${where}\``)
        .join(', ')} | ${reason} |`,
  );
  expect(rows).toEqual(expected);
});
