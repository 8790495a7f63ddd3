import type { Json } from '../json';
import type { Integration } from './integration';

/** Calls one action of one AWS service with Step Functions' names for everything. Fails with a StatesError. */
export interface AwsCaller {
  call(service: string, action: string, parameters: Json): Promise<Json>;
  /** Why the action cannot be called, or undefined when it can. */
  refusal(service: string, action: string): string | undefined;
}

/** `arn:aws:states:::aws-sdk:<service>:<action>`; undefined when the service has no such action here. */
export function awsSdkIntegration(aws: AwsCaller, service: string, action: string): Integration | undefined {
  if (aws.refusal(service, action) !== undefined) return undefined;
  return {
    name: { type: `aws-sdk:${service}`, resource: action },
    call: (input) => aws.call(service, action, input),
  };
}
