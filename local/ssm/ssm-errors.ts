import { AwsError } from '../wire';

export const refusal = (code: string, message: string): AwsError =>
  new AwsError(code, message, 400, { Message: message, message });

export const validation = (message: string): AwsError => new AwsError('ValidationException', message);

export const constraint = (member: string, value: string, rule: string): AwsError =>
  validation(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must ${rule}`,
  );

export const invalidInstanceId = (): AwsError =>
  refusal('InvalidInstanceId', 'Instances not in a valid state for account');
export const invalidParameters = (): AwsError =>
  refusal('InvalidParameters', 'Parameters provided in document are invalid or not supported.');
export const invalidDocument = (name: string): AwsError =>
  refusal('InvalidDocument', `Document ${name} does not exist in your account`);
export const invocationDoesNotExist = (commandId: string, instanceId: string): AwsError =>
  refusal('InvocationDoesNotExist', `Invocation not found for ${commandId}, ${instanceId}`);
export const invalidCommandId = (commandId: string): AwsError =>
  refusal('InvalidCommandId', `Command id ${commandId} does not exist.`);
