import { rpmdbCodec } from '../../../../core/records/rpm/rpmdb';
import { SqliteDatabase } from '../../../../core/records/sqlite/sqlite-database';
import { fixtureBytes } from '../../../support/rpm-fixtures';

const PAGE_BYTES = 4096;
const INTERIOR_TABLE_PAGE = 5;

beforeAll(() => rpmdbCodec.prepare?.());

/** A page that leads 200 times to another (sqlite.org/fileformat2.html, section 1.6). */
function writeInteriorPage(bytes: Buffer, page: number, child: number): void {
  const cells = 200;
  const start = (page - 1) * PAGE_BYTES;
  bytes.fill(0, start, start + PAGE_BYTES);
  bytes.writeUInt8(INTERIOR_TABLE_PAGE, start);
  bytes.writeUInt16BE(cells, start + 3);
  const content = PAGE_BYTES - cells * 5;
  bytes.writeUInt16BE(content, start + 5);
  bytes.writeUInt32BE(child, start + 8);
  for (let cell = 0; cell < cells; cell++) {
    bytes.writeUInt16BE(content + cell * 5, start + 12 + cell * 2);
    bytes.writeUInt32BE(child, start + content + cell * 5);
    bytes.writeUInt8(1, start + content + cell * 5 + 4);
  }
}

/** The table of names leads over some pages, each 200 times, to its one page of rows. */
function endless(levels: number): Uint8Array {
  const { bytes, root } = SqliteDatabase.use(
    fixtureBytes('one-before', 'rpmdb.sqlite'),
    'test',
    (database) => {
      const [found] = database.rows("SELECT rootpage FROM sqlite_master WHERE name = 'Name'");
      return { bytes: Buffer.from(database.export()), root: Number(found![0]) };
    },
  );
  const last = bytes.length / PAGE_BYTES;
  const whole = Buffer.concat([bytes, Buffer.alloc((levels + 1) * PAGE_BYTES)]);
  // In the header: how many pages there are.
  whole.writeUInt32BE(last + levels + 1, 28);
  whole.copy(whole, last * PAGE_BYTES, (root - 1) * PAGE_BYTES, root * PAGE_BYTES);
  for (let level = 0; level < levels; level++)
    writeInteriorPage(
      whole,
      level === levels - 1 ? root : last + 2 + level,
      level === 0 ? last + 1 : last + 1 + level,
    );
  return whole;
}

describe('a database whose pages lead to the same page again and again', () => {
  it.each([3, 8])(
    'is refused before its rows fill the memory: %i levels',
    (levels) => {
      expect(() => rpmdbCodec.parse(endless(levels))).toThrow(/more rows than its bytes can hold/);
    },
    20_000,
  );

  it('is not written to', () => {
    expect(() =>
      SqliteDatabase.use(endless(8), 'test', (database) => database.run('DELETE FROM Name WHERE hnum = 1')),
    ).toThrow(/it is damaged/);
  });
});
