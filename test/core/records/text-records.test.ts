import fc from 'fast-check';
import type { RecordCodec } from '../../../core/records/record-codec';
import { RecordFormatError } from '../../../core/records/record-errors';
import { codecFor } from '../../../core/records/registry';

function codec(path: string): RecordCodec {
  const found = codecFor(path);
  if (!found) throw new Error(`No codec for ${path}.`);
  return found;
}

/** How one kind of file is written by its own tool, told in a few lines: the yardstick for merges. */
interface Writer {
  readonly path: string;
  /** The record of this name with this content. */
  record(name: string, content: string): { key: string; body: string };
  /** The whole file, as the tool writes it. `added`: names that were not in the file it read. */
  file(bodies: readonly { name: string; body: string }[]): string;
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

const writers: readonly Writer[] = [
  {
    path: '/var/lib/dpkg/status',
    record: (name, content) => ({
      key: `${name}:amd64`,
      body: `Package: ${name}\nArchitecture: amd64\nDescription: one\n ${content} x\n .`,
    }),
    file: (bodies) =>
      bodies
        .toSorted(byName)
        .map(({ body }) => `${body}\n\n`)
        .join(''),
  },
  {
    path: '/var/cache/debconf/config.dat',
    record: (name, content) => ({
      key: name,
      body: `Name: ${name}\nValue: ${content}\nOwners: a\nVariables:\n V = x`,
    }),
    file: (bodies) =>
      bodies
        .toSorted(byName)
        .map(({ body }) => `${body}\n\n`)
        .join(''),
  },
  {
    path: '/var/lib/apt/extended_states',
    record: (name, content) => ({
      key: `${name}:amd64`,
      body: `Package: ${name}\nArchitecture: amd64\nAuto-Installed: ${content}`,
    }),
    file: (bodies) => bodies.map(({ body }) => `${body}\n\n`).join(''),
  },
  {
    path: '/etc/shadow',
    record: (name, content) => ({ key: name, body: `${name}:${content}:20000:0:99999:7:::` }),
    file: (bodies) => bodies.map(({ body }) => `${body}\n`).join(''),
  },
];

const names = fc.stringMatching(/^[a-z][a-z0-9.+-]{0,6}$/);
const contents = fc.stringMatching(/^[A-Za-z0-9*$./]{0,8}$/);
const tables = fc.dictionary(names, contents, { maxKeys: 12 });

describe.each(writers.map((writer) => [writer.path, writer] as const))('%s', (path, writer) => {
  const write = (table: Readonly<Record<string, string>>): Buffer =>
    Buffer.from(
      writer.file(
        Object.entries(table).map(([name, content]) => ({ name, body: writer.record(name, content).body })),
      ),
    );

  it('keeps every byte when nothing changes, with and without its last line ends', () => {
    fc.assert(
      fc.property(tables, fc.nat({ max: 2 }), (table, cut) => {
        const whole = write(table);
        const lineEnds = /\n*$/.exec(whole.toString())?.[0].length ?? 0;
        const bytes = whole.subarray(0, whole.length - Math.min(cut, lineEnds));
        const file = codec(path).parse(bytes);
        expect(file.records.size).toBe(Object.keys(table).length);
        expect(Buffer.compare(file.merge(new Map()), bytes)).toBe(0);
        expect(Buffer.compare(file.merge(file.records), bytes)).toBe(0);
      }),
    );
  });

  it("is, after a merge of one machine's change, what its own tool would have made of it", () => {
    fc.assert(
      fc.property(
        tables,
        tables,
        fc.dictionary(names, fc.option(contents), { maxKeys: 6 }),
        (a, extra, wish) => {
          // B has A's records and some of its own; the update puts and removes records on A.
          const b = { ...extra, ...a };
          const onlyOnB = Object.keys(extra).filter((name) => !(name in a));
          const change = Object.fromEntries(Object.entries(wish).filter(([name]) => !onlyOnB.includes(name)));
          const before = codec(path).parse(write(a));
          const after = codec(path).parse(write(applied(a, change)));
          const changes = new Map<string, Uint8Array | undefined>();
          for (const key of before.records.keys()) if (!after.records.has(key)) changes.set(key, undefined);
          for (const [key, bytes] of after.records) {
            const old = before.records.get(key);
            if (!old || Buffer.compare(old, bytes) !== 0) changes.set(key, bytes);
          }
          expect(Buffer.from(codec(path).parse(write(b)).merge(changes)).toString()).toBe(
            write(applied(b, change)).toString(),
          );
        },
      ),
    );
  });

  it('survives any bytes: it throws its own error, or keeps them', () => {
    const pieces = fc.constantFrom(
      '\n',
      '\n\n',
      ' ',
      ':',
      'Package: a',
      'Name: a',
      'a:b',
      '#',
      '\r',
      '\0',
      'é',
      '+',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        const bytes = Buffer.from(parts.join(''));
        let merged: Uint8Array;
        try {
          merged = codec(path).parse(bytes).merge(new Map());
        } catch (error) {
          expect(error).toBeInstanceOf(RecordFormatError);
          return;
        }
        expect(Buffer.compare(merged, bytes)).toBe(0);
      }),
    );
  });
});

/** The table after the change, a new name at its end. */
function applied(
  table: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const result = new Map(Object.entries(table));
  for (const [name, content] of Object.entries(change)) {
    if (content === null) result.delete(name);
    else result.set(name, content);
  }
  return Object.fromEntries(result);
}

describe('stanzas', () => {
  const parse = (text: string) => codec('/var/lib/dpkg/status').parse(Buffer.from(text, 'latin1'));

  it.each([
    ['a line without a field name', 'Package: a\nArchitecture: amd64\nfoo\n\n'],
    ['a continued line at the start', ' x\nPackage: a\n\n'],
    ['a field twice', 'Package: a\nPackage: b\n\n'],
    ['no package name', 'Architecture: amd64\n\n'],
    ['a package twice', 'Package: a\n\nPackage: a\n\n'],
    ['blanks between stanzas', 'Package: a\n \nPackage: b\n\n'],
    ['carriage returns', 'Package: a\r\n\r\nPackage: b\r\n'],
  ])('with %s are a plain file', (_, text) => {
    expect(() => parse(text)).toThrow(RecordFormatError);
  });

  it('say in which line the trouble is', () => {
    expect(() => parse('Package: a\nArchitecture: all\n\nPackage: b\nfoo\n')).toThrow(
      expect.objectContaining({ facts: expect.objectContaining({ line: 5 }) }),
    );
  });

  it('keep names that are no UTF-8 apart', () => {
    const file = parse('Package: a\xe9\n\nPackage: a\xe8\n\n');
    expect([...file.records.keys()]).toEqual(['a\udce9:', 'a\udce8:']);
  });

  it('are read in no more time than their length asks for', () => {
    const text = 'Package: a\n' + ' x\n'.repeat(400_000) + '\n'.repeat(400_000);
    expect(parse(text).records.size).toBe(1);
  }, 2000);
});
