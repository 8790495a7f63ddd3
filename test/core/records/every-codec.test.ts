import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import type { RecordFile } from '../../../core/records/record-codec';
import { parseRecordFile } from '../../../core/records/read-record-file';
import { RecordConflictError } from '../../../core/records/record-errors';
import { codecFor, recordCodecs } from '../../../core/records/registry';
import { recordChanges } from '../../support/record-files';

const debian = join(__dirname, '../../fixtures/records/debian-12');
const files = readdirSync(debian, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `/${relative(debian, join(entry.parentPath, entry.name))}`);

const open = (path: string, bytes: Uint8Array = readFileSync(join(debian, path))): Promise<RecordFile> =>
  parseRecordFile(bytes, codecFor(path)!);

/** Records that a file of the kind always has are no choice of a machine. */
const isOptional = (key: string): boolean => !/^(choice|link|slave:.*)$/.test(key);

async function without(path: string, file: RecordFile, keys: readonly string[]): Promise<RecordFile> {
  const left = await open(path, file.merge(new Map(keys.map((key) => [key, undefined]))));
  expect(keys.filter((key) => left.records.has(key))).toEqual([]);
  return left;
}

const text = (file: RecordFile): [string, string][] =>
  [...file.records]
    .map(([key, bytes]): [string, string] => [key, Buffer.from(bytes).toString('latin1')])
    .sort();

it('has a file of every kind that is no database', () => {
  const covered = new Set(files.map((path) => codecFor(path)?.name));
  const databases = ['rpmdb', 'dnf-history'];
  const missing = recordCodecs.filter(({ name }) => !covered.has(name) && !databases.includes(name));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

describe.each(files)('%s', (path) => {
  it("an update's changes merged into another machine's file are that machine's own update", async () => {
    const whole = await open(path);
    const keys = [...whole.records.keys()].filter(isOptional);
    // One always stays: without any alternative there is no link group.
    const some = fc.subarray(keys.slice(1));
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(some, some, some, some, async (lackedBefore, lackedAfter, lackedByA, lackedByB) => {
        const isTouched = (key: string): boolean => lackedBefore.includes(key) !== lackedAfter.includes(key);
        const state = (lacked: readonly string[], own: readonly string[]): Promise<RecordFile> =>
          without(path, whole, [...lacked.filter(isTouched), ...own.filter((key) => !isTouched(key))]);
        const a = await state(lackedBefore, lackedByA);
        const changes = recordChanges(a, await state(lackedAfter, lackedByA));
        const b = await state(lackedBefore, lackedByB);
        // What match asks first: each listed record must be what it was on A, among them those that the change depends on.
        const asText = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('latin1');
        if ([...changes.keys()].some((key) => asText(a.records.get(key)) !== asText(b.records.get(key))))
          return;
        compared += 1;
        const expected = await state(lackedAfter, lackedByB);
        let merged: RecordFile;
        try {
          merged = await open(path, b.merge(changes));
        } catch (error) {
          // A machine that cannot take the change gets its own update; it must be for a reason that its own records gave.
          const isItsOwn = String(lackedByA) !== String(lackedByB);
          if (!(error instanceof RecordConflictError && isItsOwn)) throw error;
          return;
        }
        expect(text(merged)).toEqual(text(expected));
        expect(Buffer.from(merged.remainder).equals(whole.remainder)).toBe(true);
      }),
      { numRuns: keys.length < 2 ? 1 : 40 },
    );
    expect(compared).toBeGreaterThan(keys.length < 2 ? 0 : 4);
  });

  it('for the machine that the changes come from, and for its like, the file is the same byte for byte', async () => {
    const whole = await open(path);
    const keys = [...whole.records.keys()].filter(isOptional).slice(1);
    await fc.assert(
      fc.asyncProperty(fc.subarray(keys), async (removed) => {
        const after = await without(path, whole, removed);
        const changes = recordChanges(whole, after);
        expect(Buffer.from(whole.merge(changes)).equals(Buffer.from(after.merge(new Map())))).toBe(true);
        expect(Buffer.from(whole.merge(new Map())).equals(readFileSync(join(debian, path)))).toBe(true);
      }),
      { numRuns: keys.length === 0 ? 1 : 20 },
    );
  });

  it('bytes that were cut or changed never hang, and are refused or read whole', async () => {
    const bytes = readFileSync(join(debian, path));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length),
        fc.nat(Math.max(bytes.length - 1, 0)),
        fc.nat(255),
        async (cut, at, byte) => {
          const broken = Buffer.from(bytes.subarray(0, cut));
          if (at < broken.length) broken[at] = byte;
          const file = await open(path, broken).catch((error: Error) => {
            expect(error.name).toBe('RecordFormatError');
            return undefined;
          });
          if (file !== undefined) expect(Buffer.from(file.merge(new Map())).equals(broken)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });
});
