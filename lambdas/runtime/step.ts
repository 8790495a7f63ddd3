import { ImageElvesError } from '../../core/errors';
import type { Services } from '../../aws/services';
import { log } from './log';
import { services } from './services';

/** The part of Lambda's context that steps use. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

export interface Invocation {
  readonly services: Services;
  /** False when so little time is left that no new work should be begun. */
  readonly hasTime: () => boolean;
}

/** What finishing takes: puts that are under way, the journal, the answer. */
const RESERVE_MS = 45_000;

/** Makes a Lambda handler of a step: clients, a log line at either end, and errors that tell what to do next. */
export function stepHandler<Input extends object, Output>(
  step: (invocation: Invocation, input: Input) => Promise<Output>,
): (event: Input, context: LambdaContext) => Promise<Output> {
  return async (event, context) => {
    log('step started', { event });
    const startedAt = Date.now();
    const hasTime = (): boolean => context.getRemainingTimeInMillis() > RESERVE_MS;
    try {
      const output = await step({ services: await services(), hasTime }, event);
      log('step ended', { milliseconds: Date.now() - startedAt, output });
      return output;
    } catch (error) {
      log('step failed', { milliseconds: Date.now() - startedAt, error: described(error) });
      throw withNextStep(error);
    }
  };
}

/** Step Functions keeps an error's name and message only. */
function withNextStep(error: unknown): unknown {
  if (error instanceof ImageElvesError && error.nextStep !== undefined) {
    error.message = `${error.message} ${error.nextStep}`;
  }
  return error;
}

function described(error: unknown): unknown {
  if (error instanceof ImageElvesError) return { ...error.toJSON(), stack: error.stack };
  return error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : error;
}
