/**
 * Names of errors that the state machines match in `Catch` and `Retry`. A Lambda's error arrives there as the `name` of
 * what it threw, so these are also the literal names of the error classes.
 */
export const ERROR_NAMES = {
  invalidRunInput: 'InvalidRunInputError',
  unknownUpdate: 'UnknownUpdateError',
  noTargets: 'NoTargetsError',
  updateFailed: 'UpdateFailedError',
  canaryFailed: 'CanaryFailedError',
  leaseHeld: 'LeaseHeldError',
  tooManyFailures: 'TooManyFailuresError',
  instanceStarted: 'InstanceStartedError',
  volumeChanged: 'VolumeChangedError',
  swapBlocked: 'SwapBlockedError',
  verificationFailed: 'VerificationFailedError',
  cloneFailed: 'CloneFailedError',
  snapshotFailed: 'SnapshotFailedError',
  runFailed: 'RunFailedError',
  rollBackFailed: 'RollBackFailedError',
  patchFailed: 'PatchFailedError',
  housekeepingFailed: 'HousekeepingFailedError',
} as const;

/**
 * Errors that say nothing about the machine or the update: the same step, called again, may well succeed, and every step
 * is safe to call again. A Lambda that was killed or ran out of memory or time arrives as `Lambda.Unknown` or
 * `Sandbox.Timedout`.
 */
export const TRANSIENT_ERROR_NAMES = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'States.Timeout',
  'RequestLimitExceeded',
  'ThrottlingException',
  'Throttling',
  'RequestThrottledException',
  'InternalServerException',
  'InternalError',
  'InternalServerError',
  'ServiceUnavailable',
  'SlowDown',
  'TimeoutError',
  'RequestTimeout',
  'NetworkingError',
  'SnapshotCreationPerVolumeRateExceeded',
  'PendingSnapshotLimitExceeded',
  'ConcurrentSnapshotLimitExceeded',
  'ConcurrentLimitExceededException',
  'ServiceQuotaExceededException',
  'SnapshotNotReadableError',
] as const;
