import { MAX_SCRIPT_BYTES, recordedScript } from '../../../core/update/recorded-script';
import { ScriptTooLongError } from '../../../core/update/update-errors';
import { RECORDER as recorder } from '../../support/recorder-program';

const bytesOf = (lines: readonly string[]): number => Buffer.byteLength(lines.join('\n'));

test('the recorder leaves three fifths of what Run Command takes to the update', () => {
  expect(bytesOf(recordedScript({ update: ['true'], recorder, name: 'x' }))).toBeLessThan(
    (MAX_SCRIPT_BYTES * 2) / 5,
  );
});

test('what is too long for Run Command is refused', () => {
  const update = ['#'.repeat(MAX_SCRIPT_BYTES)];
  expect(() => recordedScript({ update, recorder, name: 'x' })).toThrow(ScriptTooLongError);
});

test('it is as long as it is when it is sent: quotes take two bytes', () => {
  const update = ['"'.repeat(MAX_SCRIPT_BYTES / 2)];
  expect(() => recordedScript({ update, recorder, name: 'x' })).toThrow(ScriptTooLongError);
});

test('an update that has the word of the here-document keeps all of its lines', () => {
  const lines = recordedScript({ update: ['IMAGEELVES_UPDATE', 'echo after'], recorder, name: 'x' });
  expect(lines.join('\n')).toContain(
    "<<'IMAGEELVES_UPDATE_' || exit 1\nIMAGEELVES_UPDATE\necho after\nIMAGEELVES_UPDATE_\n",
  );
});
