import type { PointOfVariation } from '../../../core/variation/points-of-variation';
import { alignContents } from '../../../core/variation/substitutions';
import { macForms, uuidForms } from '../../../core/variation/value-forms';

const word = (name: string, value: string): PointOfVariation => ({
  name,
  value,
  label: name,
  strength: 'word',
  where: 'configuration',
});
const bytes = (text: string) => Buffer.from(text, 'latin1');
const window = { from: new Date('2026-11-20T10:00:00Z'), to: new Date('2026-11-20T12:00:00Z') };

function align(left: string, right: string, a: PointOfVariation[], b: PointOfVariation[]) {
  return alignContents('/etc/app.conf', bytes(left), bytes(right), { left: a, right: b }, window);
}

const UUID = ['6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76', '11111111-2222-4333-8444-55555555aaaa'] as const;

describe('what two machines wrote', () => {
  it.each([
    ['with dashes', (uuid: string) => uuid],
    ['without', (uuid: string) => uuid.replaceAll('-', '')],
    ['in capitals', (uuid: string) => uuid.toUpperCase()],
    ['as bytes', (uuid: string) => Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('latin1')],
  ])('is explained by a UUID %s', (_, form) => {
    const found = align(
      `x${form(UUID[0])}\0y`,
      `x${form(UUID[1])}\0y`,
      uuidForms('u', 'u', UUID[0]),
      uuidForms('u', 'u', UUID[1]),
    );
    expect(found?.substitutions).toEqual([
      expect.objectContaining({ offsetBytes: 1, lengthBytes: form(UUID[0]).length }),
    ]);
  });

  it('is explained by a MAC address in any form', () => {
    const [a, b] = ['06:1a:2b:3c:4d:5e', '06:1a:2b:3c:4d:5f'];
    for (const form of [
      (mac: string) => mac,
      (mac: string) => mac.toUpperCase().replaceAll(':', '-'),
      (mac: string) => mac.replaceAll(':', ''),
    ])
      expect(
        align(`mac ${form(a!)}\n`, `mac ${form(b!)}\n`, macForms('m', a!), macForms('m', b!))?.substitutions,
      ).toHaveLength(1);
  });

  it('is not explained inside a word, by half a value, or where anything else differs', () => {
    const [a, b] = [[word('host-name', 'web01')], [word('host-name', 'web02')]];
    expect(align('name web01\n', 'name web02\n', a, b)?.substitutions).toHaveLength(1);
    expect(align('name xweb01\n', 'name xweb02\n', a, b)).toBeUndefined();
    expect(align('name 01\n', 'name 02\n', a, b)).toBeUndefined();
    expect(align('name web01 1\n', 'name web02 2\n', a, b)).toBeUndefined();
    expect(align('name web01\n', 'name web03\n', a, b)).toBeUndefined();
    expect(align('', 'web02', a, b)).toBeUndefined();
  });

  it('is not explained by a single letter', () => {
    expect(align('a\n', 'b\n', [word('host-name', 'a')], [word('host-name', 'b')])).toBeUndefined();
  });

  it('fits only machines with the same word, where both machines have that word', () => {
    const domain = [word('domain', 'example.org')];
    expect(align('search example.org\n', 'search example.org\n', domain, domain)?.substitutions).toEqual([
      { offsetBytes: 7, lengthBytes: 11, value: 'domain', fixed: true },
    ]);
  });

  it.each<[string, (host: string) => string, boolean]>([
    ['PHP', (host) => `s:4:"name";s:${host.length}:"${host}";`, true],
    ['PHP, of more than the value', (host) => `s:${host.length + 11}:"http://${host}/api";i:1;`, true],
    ['a netstring', (host) => `${host.length + 5}:name=${host},`, true],
    ['columns', (host) => `${host}  up`, true],
    ['a port in front of it', (host) => `port = 5, name = "${host}"`, false],
    ['a number of another length', (host) => `s:9:"http://${host}/api"`, false],
  ])('fits only values as long where their length may be part of the format: %s', (_, text, counts) => {
    const found = align(
      text('web01'),
      text('web02'),
      [word('host-name', 'web01')],
      [word('host-name', 'web02')],
    );
    expect(found?.substitutions.map(({ sameLength }) => sameLength ?? false)).toEqual([counts]);
  });

  it.each([
    ['2026-11-20T11:02:03Z', '2026-11-20T11:12:13Z', true],
    ['2026-11-20 11:02:03', '2026-11-20 11:02:04', true],
    ['Fri Nov 20 11:02:03 UTC 2026', 'Fri Nov 20 11:02:09 UTC 2026', true],
    ['Fri, 20 Nov 2026 11:02:03 +0000', 'Fri, 20 Nov 2026 11:02:05 +0000', true],
    ['1795172523', '1795172600', true],
    ['2019-11-20T11:02:03Z', '2018-11-20T11:02:03Z', false],
    ['1095172523', '1095172600', false],
    ['11:02:03', '11:02:04', false],
  ])('may differ by the time at which the update ran: %s, %s', (a, b, isTime) => {
    expect(align(`# ${a} #`, `# ${b} #`, [], [])?.hasDates).toBe(isTime ? true : undefined);
  });
});
