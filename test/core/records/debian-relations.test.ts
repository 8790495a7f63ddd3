import {
  alternativesOf,
  demandsOf,
  RelatedPackages,
  relationGroups,
} from '../../../core/records/debian-relations';

const found = (key: string, version: string, more: { provides?: string; multiArch?: string } = {}) => ({
  key,
  version,
  provides: '',
  multiArch: '',
  ...more,
});
const machine = new RelatedPackages([
  found('libc6:amd64', '2.36-9', { multiArch: 'same' }),
  found('postfix:amd64', '3.7', { provides: 'mail-transport-agent, default-mta (= 1.2)' }),
  found('python3:amd64', '3.11', { multiArch: 'allowed' }),
  found('make:amd64', '4.3', { multiArch: 'foreign' }),
  found('tzdata:all', '2024a'),
]);

describe('a demand of a package of amd64', () => {
  it.each<[string, boolean]>([
    ['libc6 (>= 2.36)', true],
    ['libc6 (>= 2.37)', false],
    ['libc6 (<< 2.36-9)', false],
    ['libc6 (= 2.36-9)', true],
    ['libc6 (>> 2.36-9)', false],
    ['libc6 (> 2.36-9)', true],
    ['exim4 | mail-transport-agent', true],
    ['mail-transport-agent (>= 1)', false],
    ['default-mta (>= 1)', true],
    ['exim4', false],
    ['tzdata', true],
    ['no relation at all (', false],
  ])('%s is met: %s', (group, met) => {
    expect(machine.isMet(group, 'app:amd64')).toBe(met);
  });

  it('of another architecture: deb-control(5), Multi-Arch', () => {
    const met = (group: string) => machine.isMet(group, 'app:i386');
    expect([met('libc6'), met('make'), met('tzdata'), met('python3:any'), met('libc6:amd64')]).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  it('no package refuses itself', () => {
    expect(machine.othersMeeting('mail-transport-agent', 'postfix:amd64')).toEqual([]);
    expect(machine.othersMeeting('mail-transport-agent', 'exim4:amd64').map(({ key }) => key)).toEqual([
      'postfix:amd64',
    ]);
  });
});

test('fields over several lines', () => {
  const stanza =
    'Package: x\nDepends: a (>= 1),\n b | c,\n  d\nPre-Depends: e\nBreaks: f (<< 2)\nConflicts: g';
  expect(demandsOf(stanza)).toEqual({
    requires: ['e', 'a (>= 1)', 'b | c', 'd'],
    refuses: ['g', 'f (<< 2)'],
  });
  expect(relationGroups('')).toEqual([]);
  expect(alternativesOf('b:any (>= 1:2~) | c')).toEqual([
    { name: 'b', architecture: 'any', operator: '>=', version: '1:2~' },
    { name: 'c', architecture: '' },
  ]);
});
