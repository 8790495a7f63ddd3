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
