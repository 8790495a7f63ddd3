import fc from 'fast-check';
import { RecordFormatError } from '../../../../core/records/record-errors';
import { rpmdbCodec } from '../../../../core/records/rpm/rpmdb';
import { SqliteDatabase } from '../../../../core/records/sqlite/sqlite-database';
import { changesBetween, fixtureBytes, recordTexts, rpmdbOf } from '../../../support/rpm-fixtures';

const bytes = fixtureBytes('one-before', 'rpmdb.sqlite');

beforeAll(() => rpmdbCodec.prepare?.());

describe('the database of rpm', () => {
  it('is taken apart by package', async () => {
    expect([...(await rpmdbOf('other-before')).records.keys()].sort()).toEqual([
      'fleet-banner.noarch',
      'fleet-extra.noarch',
      'fleet-lib.noarch',
      'fleet-old.noarch',
    ]);
  });

  it('keeps every byte when nothing changes', () => {
    const file = rpmdbCodec.parse(bytes);
    expect(Buffer.compare(file.merge(new Map()), bytes)).toBe(0);
    expect(Buffer.compare(file.merge(file.records), bytes)).toBe(0);
    const contents = new Map([...file.records.keys()].map((key) => [key, file.contentOf?.(key)]));
    expect(Buffer.compare(file.merge(contents), bytes)).toBe(0);
  });

  it('does not tell machines apart by when they installed a package', async () => {
    const [one, other] = [await rpmdbOf('one-before'), await rpmdbOf('other-before')];
    const key = 'fleet-banner.noarch';
    expect(recordTexts(one)[key]).toBe(recordTexts(other)[key]);
    expect(Buffer.compare(one.contentOf!(key)!, other.contentOf!(key)!)).not.toBe(0);
  });

  it('takes the changes of one machine on another as the update there would make them', async () => {
    const changes = changesBetween(await rpmdbOf('one-before'), await rpmdbOf('one-after'));
    expect([...changes.keys()].sort()).toEqual([
      'fleet-banner.noarch',
      'fleet-lib.noarch',
      'fleet-new.noarch',
    ]);
    const merged = rpmdbCodec.parse((await rpmdbOf('other-before')).merge(changes));
    const expected = await rpmdbOf('other-after');
    expect(recordTexts(merged)).toEqual(recordTexts(expected));
    expect(Buffer.compare(merged.remainder, expected.remainder)).toBe(0);
    // When it was installed is put, too.
    const one = await rpmdbOf('one-after');
    expect(Buffer.compare(merged.contentOf!('fleet-new.noarch')!, one.contentOf!('fleet-new.noarch')!)).toBe(
      0,
    );
  });

  it('can have any packages taken out and put back', () => {
    const file = rpmdbCodec.parse(bytes);
    const keys = [...file.records.keys()];
    fc.assert(
      fc.property(fc.subarray(keys), (some) => {
        const without = rpmdbCodec.parse(file.merge(new Map(some.map((key) => [key, undefined]))));
        expect([...without.records.keys()].sort()).toEqual(keys.filter((key) => !some.includes(key)).sort());
        const back = without.merge(new Map(some.map((key) => [key, file.contentOf?.(key)])));
        expect(recordTexts(rpmdbCodec.parse(back))).toEqual(recordTexts(file));
      }),
      { numRuns: 8 },
    );
  });

  it('is read with what is only in its write-ahead log, and written without a log', async () => {
    const alone = rpmdbCodec.parse(fixtureBytes('in-log', 'rpmdb.sqlite'));
    expect(alone.records.has('fleet-old.noarch')).toBe(false);
    const whole = await rpmdbOf('in-log');
    expect(whole.records.has('fleet-old.noarch')).toBe(true);
    expect(recordTexts(rpmdbCodec.parse(whole.merge(new Map())))).toEqual(recordTexts(whole));
    expect(recordTexts(whole)['fleet-old.noarch']).toBe(
      recordTexts(await rpmdbOf('other-before'))['fleet-old.noarch'],
    );
  });

  it('forgets a transaction that was not written to its end', () => {
    const log = fixtureBytes('in-log', 'rpmdb.sqlite-wal');
    for (const cut of [0, 31, 32, 5000, log.length - 1]) {
      const companions = new Map([['-wal', log.subarray(0, cut)]]);
      const file = rpmdbCodec.parse(fixtureBytes('in-log', 'rpmdb.sqlite'), companions);
      expect(file.records.has('fleet-lib.noarch')).toBe(true);
    }
    const changed = Buffer.from(log);
    changed[100]! ^= 1;
    const file = rpmdbCodec.parse(fixtureBytes('in-log', 'rpmdb.sqlite'), new Map([['-wal', changed]]));
    expect(file.records.has('fleet-old.noarch')).toBe(false);
  });

  it('is refused when a transaction would have to be rolled back', () => {
    const journal = Buffer.from('d9d505f920a163d7', 'hex');
    expect(() => rpmdbCodec.parse(bytes, new Map([['-journal', journal]]))).toThrow(RecordFormatError);
    expect(rpmdbCodec.parse(bytes, new Map([['-journal', Buffer.alloc(512)]])).records.size).toBe(2);
  });
});

describe('a database that is not rpm’s', () => {
  const changed = (sql: string): Uint8Array =>
    SqliteDatabase.use(bytes, 'test', (database) => {
      database.run(sql);
      return database.export();
    });

  it.each([
    ['a trigger', "CREATE TRIGGER t AFTER INSERT ON Packages BEGIN DELETE FROM 'Name'; END"],
    ['a view', 'CREATE VIEW Extra AS SELECT 1 AS key, 2 AS hnum, 3 AS idx'],
    ['another table', 'CREATE TABLE Extra (key TEXT)'],
    [
      'a table that computes',
      "CREATE TABLE Extra (key 'TEXT' NOT NULL DEFAULT (randomblob(9)), hnum INTEGER)",
    ],
    ['a row without a package', "INSERT INTO Name VALUES ('x', 99, 0)"],
    ['a header that is none', "INSERT INTO Packages (blob) VALUES (x'0000000100000000')"],
    ['a text as header', "UPDATE Packages SET blob = 'text'"],
  ])('is refused: %s', (_what, sql) => {
    expect(() => rpmdbCodec.parse(changed(sql))).toThrow(RecordFormatError);
  });

  it('is refused whatever bytes are changed, or read, and never hangs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), {
          minLength: 1,
          maxLength: 20,
        }),
        (edits) => {
          const damaged = Buffer.from(bytes);
          for (const [at, value] of edits) damaged[at] = value;
          try {
            rpmdbCodec.parse(damaged).merge(new Map([['fleet-lib.noarch', undefined]]));
          } catch (error) {
            expect(error).toBeInstanceOf(RecordFormatError);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes nothing that is not one record with its key', async () => {
    const file = rpmdbCodec.parse(bytes);
    const content = Buffer.from(file.contentOf!('fleet-lib.noarch')!);
    for (const put of [
      ['fleet-banner.noarch', content],
      ['fleet-lib.noarch', content.subarray(1)],
      ['fleet-lib.noarch', Buffer.concat([content, Buffer.alloc(1)])],
      ['fleet-lib.noarch', Buffer.alloc(0)],
      ['fleet-lib.noarch', Buffer.from(content.toString('latin1').replace('"Name"', '"Nope"'), 'latin1')],
    ] as const) {
      expect(() => file.merge(new Map([put]))).toThrow(RecordFormatError);
    }
  });
});
