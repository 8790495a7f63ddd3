import { RecordConflictError, RecordFormatError } from '../../../../core/records/record-errors';
import { dnfHistoryCodec } from '../../../../core/records/rpm/dnf-history';
import { SqliteDatabase } from '../../../../core/records/sqlite/sqlite-database';
import { changesBetween, dnfHistoryOf, recordTexts } from '../../../support/rpm-fixtures';

const USER = '2';
const DEPENDENCY = '1';

beforeAll(() => dnfHistoryCodec.prepare?.());

describe('the history of dnf', () => {
  it('keeps every byte when nothing changes', async () => {
    const whole = Buffer.from((await dnfHistoryOf('one-after')).merge(new Map()));
    const file = dnfHistoryCodec.parse(whole);
    expect(Buffer.compare(file.merge(new Map()), whole)).toBe(0);
    expect(Buffer.compare(file.merge(file.records), whole)).toBe(0);
  });

  it('knows why each package is there', async () => {
    expect(recordTexts(await dnfHistoryOf('one-after'))).toMatchObject({
      'reason fleet-lib.noarch': USER,
      'reason fleet-new.noarch': DEPENDENCY,
    });
    expect(recordTexts(await dnfHistoryOf('other-after'))).toMatchObject({
      'reason fleet-lib.noarch': DEPENDENCY,
      'reason fleet-extra.noarch': USER,
    });
  });

  it('takes a transaction of another machine, and each package keeps the reason that it has here', async () => {
    const changes = changesBetween(await dnfHistoryOf('one-before'), await dnfHistoryOf('one-after'));
    expect([...changes.keys()].map((key) => key.split(' ')[0]).sort()).toEqual(['reason', 'transaction']);
    const merged = dnfHistoryCodec.parse((await dnfHistoryOf('other-before')).merge(changes));
    expect(recordTexts(merged)).toEqual(recordTexts(await dnfHistoryOf('other-after')));
    expect(recordTexts(merged)['reason fleet-lib.noarch']).toBe(DEPENDENCY);
  });

  it('says who did it and when as on the machine where it was done', async () => {
    const one = await dnfHistoryOf('one-after');
    const changes = changesBetween(await dnfHistoryOf('one-before'), one);
    const merged = (await dnfHistoryOf('other-before')).merge(changes);
    const rows = SqliteDatabase.use(merged, 'test', (database) => [
      ...database.rows('SELECT id, dt_begin, rpmdb_version_begin FROM trans ORDER BY id'),
    ]);
    const [key] = [...changes.keys()];
    const { begin } = JSON.parse(Buffer.from(one.contentOf!(key!)!).toString());
    expect(rows).toHaveLength(2);
    expect(rows[1]).toEqual([2, begin, expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });

  it('takes no reason that no transaction gives', async () => {
    const file = await dnfHistoryOf('one-before');
    const reason = new Map([['reason fleet-lib.noarch', Buffer.from(DEPENDENCY)]]);
    expect(() => file.merge(reason)).toThrow(RecordConflictError);
    expect(() => file.merge(new Map([['reason fleet-lib.noarch', undefined]]))).toThrow(RecordConflictError);
  });

  it('takes nothing that is no transaction, and gives none back', async () => {
    const [before, after] = [await dnfHistoryOf('one-before'), await dnfHistoryOf('one-after')];
    const [[key, bytes]] = [...changesBetween(before, after)] as [[string, Uint8Array]];
    const text = Buffer.from(bytes).toString();
    for (const put of [
      text.replace('fleet-new', 'fleet-evil'),
      text.slice(1),
      '{}',
      text.replace('"replacedBy":[1]', '"replacedBy":[99]'),
    ]) {
      expect(() => before.merge(new Map([[key, Buffer.from(put)]]))).toThrow(RecordFormatError);
    }
    expect(() => after.merge(new Map([[key, undefined]]))).toThrow(RecordFormatError);
  });

  it('is refused with a trigger or a view in it', async () => {
    const bytes = (await dnfHistoryOf('one-before')).merge(new Map());
    for (const sql of [
      'CREATE TRIGGER t AFTER INSERT ON trans BEGIN DELETE FROM rpm; END',
      'CREATE VIEW v AS SELECT 1',
      'CREATE TABLE more (x)',
    ]) {
      const changed = SqliteDatabase.use(bytes, 'test', (database) => {
        database.run(sql);
        return database.export();
      });
      expect(() => dnfHistoryCodec.parse(changed)).toThrow(RecordFormatError);
    }
  });
});
