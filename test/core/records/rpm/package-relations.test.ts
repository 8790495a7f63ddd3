import { RpmRelations } from '../../../../core/records/rpm/package-relations';
import { type MadeUpRpm, madeUpRpm } from '../../../support/rpm-header-builder';

const problems = (...rpms: readonly MadeUpRpm[]): string[] =>
  [...new RpmRelations(rpms.map(madeUpRpm), 'test').problems()].map(
    ({ key, problem }) => `${key}: ${problem}`,
  );

const around = (rpm: MadeUpRpm, ...others: readonly MadeUpRpm[]): string[] => {
  const own = madeUpRpm(rpm);
  return new RpmRelations([own, ...others.map(madeUpRpm)], 'test').around(own.key, own.header);
};

it.each<[string, MadeUpRpm[], string[]]>([
  ['a name', [{ name: 'a', requires: ['b'] }, { name: 'b' }], []],
  ['a name that is not there', [{ name: 'a', requires: ['b'] }], ['a.noarch: nothing provides b']],
  [
    'a version',
    [
      { name: 'a', requires: ['b >= 2'] },
      { name: 'b', version: '2' },
    ],
    [],
  ],
  [
    'a newer version',
    [
      { name: 'a', requires: ['b >= 2'] },
      { name: 'b', version: '10' },
    ],
    [],
  ],
  [
    'a version that is not there',
    [
      { name: 'a', requires: ['b >= 2'] },
      { name: 'b', version: '1' },
    ],
    ['a.noarch: nothing provides b >= 2'],
  ],
  ['a release', [{ name: 'a', requires: ['b = 1-1'] }, { name: 'b' }], []],
  [
    'another release',
    [{ name: 'a', requires: ['b = 1-2'] }, { name: 'b' }],
    ['a.noarch: nothing provides b = 1-2'],
  ],
  [
    'what another provides',
    [
      { name: 'a', requires: ['mail'] },
      { name: 'b', provides: ['mail'] },
    ],
    [],
  ],
  [
    'a file',
    [
      { name: 'a', requires: ['/bin/b'] },
      { name: 'b', files: ['/bin/a', '/bin/b'] },
    ],
    [],
  ],
  ['a file that is not there', [{ name: 'a', requires: ['/bin/b'] }], ['a.noarch: nothing provides /bin/b']],
  ['what rpm itself can do', [{ name: 'a', requires: ['rpmlib(CompressedFileNames) <= 3.0.4-1'] }], []],
])('requirements: %s', (_what, rpms, expected) => {
  expect(problems(...rpms)).toEqual(expected);
});

it('finds packages that exclude each other, in the versions that do', () => {
  const a: MadeUpRpm = { name: 'a', conflicts: ['b < 2'] };
  expect(problems(a, { name: 'b' })).toEqual(['a.noarch: it conflicts with b.noarch']);
  expect(problems(a, { name: 'b', version: '2' })).toEqual([]);
  // A package may conflict with what it provides itself: there is to be only one of the kind.
  const mail = (name: string): MadeUpRpm => ({ name, provides: ['mail'], conflicts: ['mail'] });
  expect(problems(mail('a'))).toEqual([]);
  expect(problems(mail('a'), mail('b'))).toHaveLength(2);
});

it('finds packages that another takes the place of, by their own names', () => {
  const a: MadeUpRpm = { name: 'a', obsoletes: ['b < 2'] };
  expect(problems(a, { name: 'b' })).toEqual(['a.noarch: it takes the place of b.noarch']);
  expect(problems(a, { name: 'b', version: '2' })).toEqual([]);
  expect(problems(a, { name: 'c', provides: ['b = 1'] })).toEqual([]);
});

it('knows whose triggers take part, and which recommendations stay open', () => {
  const lib: MadeUpRpm = {
    name: 'lib',
    files: ['/usr/lib/liba.so', '/usr/share/doc/a'],
    recommends: ['extra', 'more'],
  };
  expect(around(lib, { name: 'more' })).toEqual(['without extra']);
  expect(
    around(
      lib,
      { name: 'watch', triggers: ['other', 'lib'] },
      { name: 'glibc', fileTriggers: ['/lib', '/usr/lib'] },
      { name: 'fonts', fileTriggers: ['/usr/share/fonts'] },
    ),
  ).toEqual(['trigger of glibc.noarch', 'trigger of watch.noarch', 'without extra', 'without more']);
});
