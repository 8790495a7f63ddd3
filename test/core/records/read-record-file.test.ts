import { debianPackages } from '../../../core/records/debian-packages';
import { rpmPackages } from '../../../core/records/rpm/rpm-packages';
import { readRecordFile } from '../../../core/records/read-record-file';
import { RecordFormatError } from '../../../core/records/record-errors';
import { codecFor } from '../../../core/records/registry';
import { withWriteAheadLog } from '../../../core/records/sqlite/write-ahead-log';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { fixtureBytes } from '../../support/rpm-fixtures';

/** A machine on which a table is said to have this many bytes; that it was read is an error. */
async function machineWith(path: string, sizeBytes: number): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put(path, '');
  const lstat = filesystem.lstat.bind(filesystem);
  filesystem.lstat = async (asked) => {
    const stat = await lstat(asked);
    return stat && asked === path ? { ...stat, sizeBytes } : stat;
  };
  filesystem.readFile = (asked) => Promise.reject(new TypeError(`${asked} was read`));
  return filesystem;
}

describe('a table far larger than any is', () => {
  const GIB = 1024 ** 3;

  it.each(['/etc/passwd', '/var/lib/dpkg/status', '/var/lib/rpm/rpmdb.sqlite'])(
    'is not read: %s',
    async (path) => {
      const image = await machineWith(path, GIB);
      await expect(readRecordFile(image, path, codecFor(path)!)).rejects.toThrow(RecordFormatError);
    },
  );

  it('is not read for its packages', async () => {
    await expect(debianPackages(await machineWith('/var/lib/dpkg/status', GIB))).rejects.toThrow(
      RecordFormatError,
    );
    await expect(rpmPackages(await machineWith('/var/lib/rpm/rpmdb.sqlite', GIB))).rejects.toThrow(
      RecordFormatError,
    );
  });

  it('is not made of a log of a few bytes', () => {
    const log = Buffer.from(fixtureBytes('in-log', 'rpmdb.sqlite-wal'));
    const bytes = fixtureBytes('in-log', 'rpmdb.sqlite');
    expect(withWriteAheadLog(bytes, log, 'test').length).toBeLessThan(1024 ** 2);
    expect(() => withWriteAheadLog(bytes, withPages(log, 2 ** 17), 'test')).toThrow(/bytes large/);
  });
});

/** The log up to its first commit, which says that the database has so many pages from then on. */
function withPages(log: Buffer, pages: number): Buffer {
  const pageBytes = log.readUInt32BE(8);
  const isBigEndian = (log.readUInt32BE(0) & 1) === 1;
  let sum: [number, number] = [log.readUInt32BE(24), log.readUInt32BE(28)];
  const add = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += 8) {
      const [x, y] = isBigEndian
        ? [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
        : [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
      const first = (sum[0] + x + sum[1]) >>> 0;
      sum = [first, (sum[1] + y + first) >>> 0];
    }
  };
  const frame = Buffer.from(log.subarray(32, 32 + 24 + pageBytes));
  frame.writeUInt32BE(pages, 4);
  add(frame.subarray(0, 8));
  add(frame.subarray(24));
  frame.writeUInt32BE(sum[0], 16);
  frame.writeUInt32BE(sum[1], 20);
  return Buffer.concat([log.subarray(0, 32), frame]);
}
