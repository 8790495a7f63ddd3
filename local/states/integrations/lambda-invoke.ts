import { isJsonObject, type Json } from '../json';
import { StatesError } from '../states-error';
import type { Integration } from './integration';

/** Lambda as a task calls it. Throws errors whose `name` is the Lambda API's error code. */
export interface LambdaTarget {
  invoke(functionName: string, payload: string, options?: { event?: boolean }): Promise<LambdaAnswer>;
}

export interface LambdaAnswer {
  readonly statusCode: number;
  /** JSON text; empty for an event invocation. */
  readonly payload: string;
  /** Set when the function threw or was killed; the payload then is its error. */
  readonly functionError?: string;
}

/** `arn:aws:states:::lambda:invoke`. */
export const lambdaInvoke = (target: LambdaTarget): Integration => ({
  name: { type: 'lambda', resource: 'invoke' },
  async call(input) {
    const { FunctionName, Payload, InvocationType = 'RequestResponse' } = isJsonObject(input) ? input : {};
    if (typeof FunctionName !== 'string')
      throw new StatesError('States.Runtime', 'lambda:invoke needs a FunctionName.');
    const event = InvocationType === 'Event';
    const answer = await callFunction(target, FunctionName, Payload ?? {}, event);
    return {
      ExecutedVersion: '$LATEST',
      ...(!event && { Payload: JSON.parse(answer.payload) as Json }),
      StatusCode: answer.statusCode,
    };
  },
});

/** A function's ARN as Resource: the result is the payload itself. */
export const lambdaByArn = (target: LambdaTarget, arn: string): Integration => ({
  name: { type: 'lambda-arn', resource: arn },
  call: async (input) => JSON.parse((await callFunction(target, arn, input, false)).payload) as Json,
});

async function callFunction(
  target: LambdaTarget,
  name: string,
  payload: Json,
  event: boolean,
): Promise<LambdaAnswer> {
  let answer: LambdaAnswer;
  try {
    answer = await target.invoke(name, JSON.stringify(payload), { event });
  } catch (error) {
    const code = error instanceof Error ? error.name : 'Unknown';
    const message = error instanceof Error ? error.message : String(error);
    throw new StatesError(`Lambda.${code}`, `${message} (Service: Lambda)`);
  }
  if (answer.functionError === undefined) return answer;
  const thrown = JSON.parse(answer.payload) as Json;
  const type = isJsonObject(thrown) ? thrown['errorType'] : undefined;
  throw new StatesError(typeof type === 'string' ? type : 'Lambda.Unknown', answer.payload);
}
