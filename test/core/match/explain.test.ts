import { explain, type FallenOut } from '../../../core/match/explain';

const DIGEST = 'sha256:0';
const status = (record: string, why = 'it is another') => ({
  path: '/var/lib/dpkg/status',
  record,
  found: DIGEST,
  why,
});
const file = (path: string, found = DIGEST) => ({ path, found, why: 'the update reads it' });

const machine = (name: string, facts: Partial<FallenOut>): FallenOut => ({
  name,
  differences: [],
  differenceCount: facts.differences?.length ?? 0,
  ...facts,
});
const web = { name: 'web-1', packages: { openssl: '3.0.14', nginx: '1.22' } };

const told = (one: FallenOut, ...others: FallenOut[]): string =>
  explain(one, { representative: web, fallenOut: [one, ...others] });

test.each<[string, Partial<FallenOut>, string]>([
  [
    'another version',
    { differences: [file('/etc/x'), status('openssl')], packages: { openssl: '3.0.11' } },
    'package openssl is 3.0.11, and 3.0.14 on web-1; 1 more difference',
  ],
  [
    'a package that is missing',
    { differences: [status('nginx')], packages: {} },
    'package nginx is not installed, as it is on web-1',
  ],
  [
    'a package besides',
    { differences: [status('vim')], packages: { vim: '9' } },
    'package vim is installed, and not on web-1',
  ],
  [
    'one package in two states',
    { differences: [status('nginx', 'it is on hold')], packages: { nginx: '1.22' } },
    'package nginx: it is on hold',
  ],
  [
    'a setting before a file of a package',
    { differences: [file('/usr/lib/x'), file('/etc/app.conf')] },
    '/etc/app.conf: the update reads it; 1 more difference',
  ],
  [
    'what lies in a directory',
    { differences: [file('/etc/app.d', 'extra.conf besides')] },
    '/etc/app.d: the update reads it (extra.conf besides)',
  ],
  [
    'a user',
    { differences: [{ path: '/etc/passwd', record: 'app', found: DIGEST, why: 'the number is taken' }] },
    'user app: the number is taken',
  ],
  [
    'the whole machine',
    { differences: [file('/etc/x'), { path: '/', found: 'debian 11', why: 'it has another system' }] },
    'it has another system; 1 more difference',
  ],
])('names %s', (_what, facts, expected) => {
  expect(told(machine('web-9', facts))).toBe(`It is not like web-1: ${expected}`);
});

test('names the machines that differ in the same way, the first three of them', () => {
  const like = (name: string) => machine(name, { differences: [file('/etc/app.conf', 'sha256:1')] });
  const other = machine('db-1', { differences: [file('/etc/app.conf', 'sha256:2')] });
  const line = 'It is not like web-1: /etc/app.conf: the update reads it';
  expect(told(like('a'), other)).toBe(line);
  expect(told(like('a'), like('b'))).toBe(`${line}; the same on b`);
  expect(told(like('a'), like('b'), other, like('c'))).toBe(`${line}; the same on b and c`);
  expect(told(like('a'), ...['b', 'c', 'd', 'e', 'f'].map(like))).toBe(
    `${line}; the same on b, c, d and 2 others`,
  );
});
