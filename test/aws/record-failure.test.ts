import { readCause } from '../../aws/steps/record-failure';

test('reads what a Lambda threw', () => {
  const Cause = JSON.stringify({ errorType: 'ApplyError', errorMessage: 'put-file /x failed.', trace: [] });
  expect(readCause({ Error: 'ApplyError', Cause })).toEqual({
    error: 'ApplyError',
    message: 'put-file /x failed.',
  });
});

test('reads what a Lambda threw in an execution that another one started', () => {
  const inner = JSON.stringify({ errorType: 'ApplyError', errorMessage: 'put-file /x failed.' });
  const Cause = JSON.stringify({ Error: 'ApplyError', Cause: inner, ExecutionArn: 'arn' });
  expect(readCause({ Error: 'States.TaskFailed', Cause })).toEqual({
    error: 'ApplyError',
    message: 'put-file /x failed.',
  });
});

test.each([
  [{ Error: 'States.Timeout', Cause: 'It was not back after an hour.' }, 'It was not back after an hour.'],
  [{ Error: 'Lambda.Unknown', Cause: '{ cut off' }, '{ cut off'],
  [{ Error: 'States.Timeout' }, 'No cause was given.'],
])('takes anything else as it is: %j', (caught, message) => {
  expect(readCause(caught)).toEqual({ error: caught.Error, message });
});

test('reads what a Lambda threw out of the cause of a Fail state, also when that was cut', () => {
  const thrown = JSON.stringify({
    errorType: 'CloneFailedError',
    errorMessage: 'No "clone"\n can run.',
    trace: ['x'],
  });
  const nested = JSON.stringify({
    Error: 'CloneFailedError',
    Cause: `Launch clone: ${thrown}`,
    Status: 'FAILED',
  });
  const expected = { error: 'CloneFailedError', message: 'Launch clone: No "clone"\n can run.' };
  expect(readCause({ Error: 'States.TaskFailed', Cause: nested })).toEqual(expected);
  expect(readCause({ Error: 'X', Cause: `Launch clone: ${thrown.slice(0, -8)}` })).toEqual(expected);
  const cut = `Launch clone: ${thrown.slice(0, thrown.indexOf('\\n') + 1)}`;
  expect(readCause({ Error: 'X', Cause: cut }).message).toBe('Launch clone: No "clone"');
});
