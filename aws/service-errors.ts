/**
 * What a service's error says, read in one place: EC2 puts its code in `name`, EBS direct adds `Reason`, S3 tells some
 * conditions by status only.
 */
interface ServiceError {
  readonly name?: string;
  readonly Reason?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function errorCode(error: unknown): string {
  return (error as ServiceError | undefined)?.name ?? '';
}

export function errorReason(error: unknown): string {
  return (error as ServiceError | undefined)?.Reason ?? '';
}

export function errorMessage(error: unknown): string {
  return (error as ServiceError | undefined)?.message ?? '';
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(errorCode(error));
}

export function httpStatus(error: unknown): number | undefined {
  return (error as ServiceError | undefined)?.$metadata?.httpStatusCode;
}

/** A put or delete with a condition that did not hold, or that lost a race against another such request. */
export function isConditionFailed(error: unknown): boolean {
  return httpStatus(error) === 412 || hasCode(error, 'PreconditionFailed', 'ConditionalRequestConflict');
}

/** The answer of EBS direct for a snapshot that is pending, or completed so shortly ago that reads do not see it yet. */
export function isSnapshotNotFound(error: unknown): boolean {
  return hasCode(error, 'ResourceNotFoundException');
}
