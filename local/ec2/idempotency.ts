import type { LocalEc2State } from '../state/local-ec2-state';
import { AwsError } from '../wire';
import { invalidParameterValue } from './ec2-errors';

/**
 * The resource that an earlier call with the same client token made, if there was one.
 * @throws AwsError IdempotentParameterMismatch when the parameters differ or the resource is gone.
 */
export function replayed(
  state: LocalEc2State,
  operation: string,
  input: { ClientToken?: string },
  exists: (resourceId: string) => boolean,
): string | undefined {
  const { ClientToken, ...parameters } = input;
  if (ClientToken === undefined || ClientToken === '') return undefined;
  if (ClientToken.length > 64)
    throw invalidParameterValue('Client token must be less than or equal to 64 characters.');
  const known = state.tokens.get(`${operation}:${ClientToken}`);
  if (!known) return undefined;
  if (known.parameters !== JSON.stringify(parameters))
    throw new AwsError(
      'IdempotentParameterMismatch',
      'Parameters on this idempotent request are inconsistent with parameters used in previous request(s)',
    );
  if (!exists(known.resourceId))
    throw new AwsError(
      'IdempotentParameterMismatch',
      'The client token you have provided is associated with a resource that is already deleted. ' +
        'Please use a different client token.',
    );
  return known.resourceId;
}

export function remember(
  state: LocalEc2State,
  operation: string,
  input: { ClientToken?: string },
  resourceId: string,
): void {
  const { ClientToken, ...parameters } = input;
  if (ClientToken === undefined || ClientToken === '') return;
  state.tokens.set(`${operation}:${ClientToken}`, { parameters: JSON.stringify(parameters), resourceId });
}
