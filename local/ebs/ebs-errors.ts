import { AwsError } from '../wire';

const MODELLED = 'http://internal.amazon.com/coral/com.amazon.zeppelindataservice/';
const SIGNATURE = 'http://internal.amazon.com/coral/com.amazon.coral.service/';
const FRAMEWORK = 'http://internal.amazon.com/coral/com.amazon.coral.validate/';

/** A refusal that EBS models: `{Message, Reason}`. */
function modelled(code: string, status: number, message: string, reason?: string): AwsError {
  return new AwsError(
    code,
    message,
    status,
    { Message: message, ...(reason === undefined ? {} : { Reason: reason }) },
    {
      'x-amzn-errortype': `${code}:${MODELLED}`,
      ...(status === 400 ? { connection: 'close' } : {}),
    },
  );
}

export const invalid = (reason: string, message: string): AwsError =>
  modelled('ValidationException', 400, message, reason);

export const snapshotNotFound = (snapshotId: string): AwsError =>
  modelled(
    'ResourceNotFoundException',
    404,
    `The snapshot '${snapshotId}' does not exist.`,
    'SNAPSHOT_NOT_FOUND',
  );

export const tokenConflict = (): AwsError =>
  modelled('ConflictException', 409, 'Current request does not match request stored with this token.');

export const invalidBlockToken = (token: string): AwsError =>
  invalid('INVALID_BLOCK_TOKEN', `The block token ${token} is invalid.`);

export const invalidPageToken = (token: string): AwsError =>
  invalid('INVALID_PAGE_TOKEN', `The pagination token ${token} is invalid.`);

/** A refusal by the framework's own validation, before the service looks at the request: `{message}`, no reason. */
export function constraintViolations(violations: readonly string[]): AwsError {
  const count = violations.length;
  const message = `${count} validation error${count === 1 ? '' : 's'} detected: ${violations.join('; ')}`;
  return new AwsError(
    'ValidationException',
    message,
    400,
    { message },
    { 'x-amzn-errortype': `ValidationException:${FRAMEWORK}`, connection: 'close' },
  );
}

/** The answer to data that does not have the digest it was sent with: a signature error by name. */
export function digestMismatch(computed: string, expected: string): AwsError {
  const message =
    'The value passed in as x-amz-Checksum does not match the computed checksum. ' +
    `Computed checksum: ${computed} expected checksum: ${expected}`;
  return new AwsError(
    'InvalidSignatureException',
    message,
    403,
    { message },
    {
      'x-amzn-errortype': `InvalidSignatureException:${SIGNATURE}`,
    },
  );
}
