import * as sdk from '@aws-sdk/client-lambda';
import { AwsError, createService, type WireService } from '../wire';
import type { LambdaFunction } from './lambda-function';
import type { Lambdas } from './lambdas';

export { Lambdas, type LambdasOptions } from './lambdas';
export type { KillPlan } from './faults';
export type { LambdaFunction } from './lambda-function';

const LOG_TAIL_BYTES = 4096;

/** The Lambda API over the functions. */
export const createLambdaService = (lambdas: Lambdas): WireService =>
  createService(sdk, {
    async Invoke({
      FunctionName = '',
      Payload,
      InvocationType = 'RequestResponse',
      LogType,
    }: sdk.InvokeCommandInput) {
      const lambda = lambdas.find(FunctionName);
      if (InvocationType === 'DryRun') return { $status: 204, StatusCode: 204 };
      const text = Buffer.from((Payload ?? []) as Uint8Array).toString() || '{}';
      checkJson(text);
      const answer = await lambdas.invoke(lambda.name, text, { event: InvocationType === 'Event' });
      const tail = Buffer.from(answer.log).subarray(-LOG_TAIL_BYTES).toString('base64');
      return {
        $status: answer.statusCode,
        StatusCode: answer.statusCode,
        FunctionError: answer.functionError,
        ExecutedVersion: '$LATEST',
        ...(LogType === 'Tail' && { LogResult: tail }),
        Payload: Buffer.from(answer.payload),
      };
    },

    GetFunction({ FunctionName = '' }: sdk.GetFunctionCommandInput) {
      return { Configuration: configurationOf(lambdas.find(FunctionName)) };
    },

    GetFunctionConfiguration({ FunctionName = '' }: sdk.GetFunctionConfigurationCommandInput) {
      return configurationOf(lambdas.find(FunctionName));
    },

    ListFunctions: () => ({ Functions: lambdas.list().map(configurationOf) }),
  });

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AwsError('InvalidRequestContentException', `Could not parse request body into json: ${reason}`);
  }
}

const configurationOf = (lambda: LambdaFunction): sdk.FunctionConfiguration => ({
  FunctionName: lambda.name,
  FunctionArn: lambda.arn,
  Runtime: lambda.runtime as sdk.Runtime,
  Handler: lambda.handler,
  Timeout: lambda.timeoutSeconds,
  MemorySize: lambda.memoryMegabytes,
  Description: lambda.description ?? '',
  Version: '$LATEST',
  State: 'Active',
  LastUpdateStatus: 'Successful',
  Environment: { Variables: { ...lambda.environment } },
});
