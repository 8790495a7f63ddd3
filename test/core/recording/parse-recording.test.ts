import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import {
  MAX_RECORDING_BYTES,
  parseRecording,
  parseRecordingLines,
} from '../../../core/recording/parse-recording';
import { ALL_ACTION_BITS } from '../../../core/recording/recording';
import { RecordingError } from '../../../core/recording/recording-errors';
import { summarizeRecording } from '../../../core/recording/summarize-recording';

const HEAD = {
  recording: 1,
  part: 1,
  method: 'fanotify',
  kernel: '6.1.0',
  boot: 'b',
  started: '2026-01-02T03:04:05Z',
  limits: {},
};
const END = { end: true, exit: 0, ended: '2026-01-02T03:05:05Z', events: 9, overflows: 0, unresolved: 0 };

const packed = (...lines: readonly unknown[]): Buffer =>
  gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));

const summaryOf = (...members: readonly Buffer[]) =>
  summarizeRecording(parseRecording(Buffer.concat(members)));

const name = fc
  .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
const bits = fc.integer({ min: 0, max: ALL_ACTION_BITS });
/** As Python's json writes it: nothing but ASCII. */
const ascii = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

test('every path, with any name, is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(path, bits, bits, bits), { maxLength: 30 }), (rows) => {
      const text = [HEAD, ...rows, END].map((line) => `${ascii(line)}\n`).join('');
      const [part] = parseRecording(gzipSync(text));
      expect(part?.paths.map(({ path, own, unsure, other }) => [path, own, unsure, other])).toEqual(rows);
    }),
  );
});

test('whatever the bytes are, the answer is a recording or an error of ours', () => {
  const good = packed(HEAD, ['/etc/passwd', 2, 0, 8], { renamed: ['/a', '/b'], by: 'own' }, END);
  const damaged = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255))
    .map(([at, byte]) => Buffer.concat([good.subarray(0, at), Buffer.of(byte), good.subarray(at + 1)]));
  const lines = fc.array(
    fc.oneof(fc.json(), fc.string(), fc.constantFrom(...[HEAD, END].map((line) => JSON.stringify(line)))),
  );
  const wrong = lines.map((all) => gzipSync(`${all.join('\n')}\n`));
  fc.assert(
    fc.property(fc.oneof(damaged, wrong, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        summarizeRecording(parseRecording(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(RecordingError);
      }
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['a path that climbs out', ['/etc/../root', 1, 0, 0]],
  ['a relative path', ['etc', 1, 0, 0]],
  ['bits that mean nothing', ['/etc', 4096, 0, 0]],
  ['a negative number', ['/etc', -1, 0, 0]],
  ['an actor nobody knows', { renamed: ['/a', '/b'], by: 'you' }],
  ['an unknown fact', { hello: 1 }],
])('%s is an error that names the line', (_, line) => {
  expect(() => parseRecording(packed(HEAD, line, END))).toThrow(/^Line 2 of the recording/);
});

test('a recording that unfolds into all memory is refused', () => {
  const bomb = gzipSync(Buffer.alloc(MAX_RECORDING_BYTES + 1), { level: 9 });
  expect(() => parseRecording(bomb)).toThrow(RecordingError);
});

test('another version of the format is refused by its number', () => {
  expect(() => parseRecording(packed({ ...HEAD, recording: 2 }))).toThrow('is of format 2, not 1');
});

test('the parts that a reboot made are one recording', () => {
  const { paths, lost } = summaryOf(
    packed(HEAD, ['/etc/a', 2, 0, 0], ['/etc/b', 32, 0, 0], { ...END, exit: 194 }),
    packed({ ...HEAD, part: 2 }, ['/etc/a', 8, 0, 8], { renamed: ['/etc/c.new', '/etc/c'], by: 'own' }, END),
  );
  expect(lost).toBe(false);
  expect(paths.get('/etc/a')).toMatchObject({
    read: true,
    written: true,
    removed: false,
    byUpdate: 'yes',
    byOthers: true,
  });
  expect(paths.get('/etc/b')).toMatchObject({ removed: true, written: false });
  expect(paths.get('/etc/c')).toMatchObject({ renamedFrom: '/etc/c.new' });
});

test.each([
  ['a queue that overflowed', [packed(HEAD, { ...END, overflows: 2 })], /overflowed 2 times/],
  ['a part that was cut off', [packed(HEAD, ['/a', 1, 0, 0])], /cut off/],
  ['a recorder that broke', [packed(HEAD, { ...END, failure: 'OSError: no' })], /OSError: no/],
  ['a missing first part', [packed({ ...HEAD, part: 2 }, END)], /is where part 1 should be/],
  ['a mount that could not be marked', [packed({ ...HEAD, missing: ['/boot'] }, END)], /lacks \/boot/],
  ['a missing last part', [packed(HEAD, { ...END, exit: 194 })], /after its last reboot/],
  [
    'a machine where nothing records',
    [packed({ ...HEAD, method: 'none' }, END)],
    /nothing on the machine can record/,
  ],
])('%s is told as lost', (_, members, why) => {
  const { lost, warnings } = summaryOf(...members);
  expect(lost).toBe(true);
  expect(warnings.join('\n')).toMatch(why);
});

test('a file that only others wrote is not the update’s; one of a process gone too soon may be', () => {
  const { paths } = summaryOf(packed(HEAD, ['/var/log/x', 0, 0, 9], ['/var/lib/y', 0, 8, 0], END));
  expect(paths.get('/var/log/x')).toMatchObject({ byUpdate: 'no', byOthers: true, read: false });
  expect(paths.get('/var/lib/y')).toMatchObject({ byUpdate: 'maybe', byOthers: false });
});

test('lines without a part are an error', () => {
  expect(() => parseRecordingLines('')).toThrow('has no part');
});
