import { AwsError, NoAnswer } from './aws-error';
import type { AroundCall } from './wire';

/** A fault to inject into calls of one operation. Plain data, so that it can come from a file or an option. */
export interface Fault {
  readonly service: string;
  readonly operation: string;
  /**
   * throttle: refused before anything happens. error-after-effect: carried out, then answered with a server error.
   * timeout: not carried out, and never answered. timeout-after-effect: carried out, and never answered.
   */
  readonly kind: 'throttle' | 'error-after-effect' | 'timeout' | 'timeout-after-effect';
  /** How many calls are hit. Default 1. */
  readonly times?: number;
  /** How many calls go well before the first that is hit. Default 0. */
  readonly after?: number;
}

/** Faults waiting for the calls they hit. */
export class FaultPlan {
  private pending: { fault: Fault; skip: number; left: number }[] = [];

  add(...faults: Fault[]): void {
    for (const fault of faults) this.pending.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.pending = [];
  }

  /** Faults that have hit nothing yet, or not as often as asked. */
  unused(): Fault[] {
    return this.pending.filter(({ left }) => left > 0).map(({ fault }) => fault);
  }

  /** Around the calls of one service. */
  around(service: string): AroundCall {
    return async ({ operation }, next) => {
      const kind = this.take(service, operation);
      if (kind === 'throttle') throw throttled(service);
      if (kind === 'timeout') throw new NoAnswer();
      const answer = await next();
      if (kind === 'timeout-after-effect') throw new NoAnswer();
      if (kind === 'error-after-effect') throw serverError(service);
      return answer;
    };
  }

  private take(service: string, operation: string): Fault['kind'] | undefined {
    for (const entry of this.pending) {
      if (entry.fault.service !== service || entry.fault.operation !== operation || entry.left === 0)
        continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.left -= 1;
      return entry.fault.kind;
    }
    return undefined;
  }
}

/** How each service says that it is called too often. */
function throttled(service: string): AwsError {
  switch (service) {
    case 'ec2':
      return new AwsError('RequestLimitExceeded', 'Request limit exceeded.', 503);
    case 'ebs':
      return new AwsError('RequestThrottledException', 'Rate exceeded', 400, {
        Message: 'Rate exceeded',
        Reason: 'ACCOUNT_THROTTLED',
      });
    case 's3':
      return new AwsError('SlowDown', 'Please reduce your request rate.', 503);
    case 'lambda':
      return new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
    default:
      return new AwsError('ThrottlingException', 'Rate exceeded');
  }
}

function serverError(service: string): AwsError {
  const code =
    service === 'ebs' ? 'InternalServerException' : service === 'ec2' ? 'InternalError' : 'InternalFailure';
  return new AwsError(code, 'An internal error has occurred', 500);
}

/** Several surroundings as one, the first outermost. */
export const nested =
  (...arounds: AroundCall[]): AroundCall =>
  (call, next) =>
    arounds.reduceRight<() => Promise<unknown>>((inner, around) => () => around(call, inner), next)();
