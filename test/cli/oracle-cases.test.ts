import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ORACLE_CASES, oracleCaseNamed } from '../../cli/oracle/cases/all-cases';
import { problemsOfAnswers } from '../../cli/oracle/compare-answers';
import { compareTrees, type TreeEntry } from '../../cli/oracle/compare-trees';
import { untold } from '../../cli/oracle/run-check';
import { mistakesOf } from '../../core/workflow/mistakes';
import { Update } from '../../core/update/update';

const page = readFileSync(path.resolve(__dirname, '../../docs/oracle.md'), 'utf8');
const rowsOf = (section: string): string[] =>
  page
    .slice(page.indexOf(`<!-- ${section} -->`), page.indexOf(`<!-- /${section} -->`))
    .split('\n')
    .filter((line) => line.startsWith('| `'));

test('docs/oracle.md lists every case', () =>
  expect(rowsOf('cases')).toEqual(ORACLE_CASES.map(({ name, about }) => `| \`${name}\` | ${about} |`)));

test('docs/oracle.md lists the named differences of every case, with what may differ and why', () =>
  expect(rowsOf('differences of cases')).toEqual(
    ORACLE_CASES.flatMap(({ name, named }) =>
      named.map(
        ({ shown, only = ['anything'], reason }) =>
          `| \`${name}\` | ${shown
            .split(', ')
            .map((where) => `\`${where}\``)
            .join(', ')} | ${only.join(', ')} | ${reason} |`,
      ),
    ),
  ));

test.each(
  ORACLE_CASES.flatMap(({ name, update }) => (update === undefined ? [] : [[name, update] as const])),
)('the update of %s is one that can be deployed', (_name, update) =>
  expect(mistakesOf(Update, update, 'update')).toEqual([]),
);

test('an unknown case is refused by naming those that there are', () =>
  expect(() => oracleCaseNamed('nothing')).toThrow('"nothing" is none of security, '));

test('a rule for the content alone does not excuse a missing file or another owner', async () => {
  const rules = [{ pattern: /^\/key$/, shown: '/key', reason: 'own', only: ['content'] }];
  const key: TreeEntry = {
    ...{ path: '/key', type: 'file', mode: 0o600, uid: 0, gid: 0, inode: '7:10', mtime: 1, xattrs: {} },
    content: 'a',
  };
  const unexplained = async (change?: Partial<TreeEntry>) => {
    const online = new Map(change === undefined ? [] : [['/key', { ...key, ...change }]]);
    const found = await compareTrees(new Map([['/key', key]]), online, async () => false, rules);
    return found.unexplained.map(({ what }) => what);
  };
  expect(await unexplained({ content: 'b' })).toEqual([]);
  expect(await unexplained({ content: 'b', uid: 7 })).toEqual(['uid']);
  expect(await unexplained()).toEqual(['exists']);
});

test.each([
  ['nothing of it', undefined, 10, /found nothing about it/],
  ['its result to nobody else', { passed: 9, failed: 1 }, 0, /SSM Compliance has nothing/],
])('a machine of a checked class is a problem when the run told %s', (_name, rules, recorded, words) =>
  expect(untold({ name: 'elm', rules }, recorded)).toEqual([expect.stringMatching(words)]),
);

test('it is none when both tell its result', () =>
  expect(untold({ name: 'elm', rules: { passed: 9, failed: 1 } }, 10)).toEqual([]));

describe('answers', () => {
  const fleet = (patched: string, twin: string, online: string) => ({
    patched: new Map([['elm', new Map([['q', patched]])]]),
    twins: new Map([['elm', new Map([['q', twin]])]]),
    updatedOnline: new Map([['oak', new Map([['q', online]])]]),
  });

  test('a patched machine that answers as its twin has no problem', () =>
    expect(problemsOfAnswers({ same: ['q'] }, fleet('0: a', '0: a', ''))).toEqual([]));

  test.each([
    ['another answer', '0: a', '0: b'],
    ['another exit code', '1: a', '0: a'],
    ['a question that the twin itself cannot answer', '1: a', '1: a'],
  ])('%s is a problem', (_name, patched, twin) =>
    expect(problemsOfAnswers({ same: ['q'] }, fleet(patched, twin, ''))).toHaveLength(1),
  );

  test.each([
    ['the key of the representative on another machine', '0: key', '0: key'],
    ['a machine without a key', '1: ', '0: key'],
  ])('%s is a problem', (_name, patched, online) =>
    expect(problemsOfAnswers({ distinct: ['q'] }, fleet(patched, '', online))).toHaveLength(1),
  );

  test('a key of its own on every machine is none', () =>
    expect(problemsOfAnswers({ distinct: ['q'] }, fleet('0: a', '', '0: b'))).toEqual([]));
});
