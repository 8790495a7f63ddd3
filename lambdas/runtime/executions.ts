import { SFNClient } from '@aws-sdk/client-sfn';
import { ExecutionReader } from '../../aws/states/executions';
import { optionalEnv } from './env';

let made: ExecutionReader | undefined;

/** Apart from the other services, for one step alone asks Step Functions: the bundles of all others go without its client. */
export function executions(): ExecutionReader {
  const endpoint = optionalEnv('AWS_ENDPOINT_URL');
  made ??= new ExecutionReader(
    new SFNClient({ retryMode: 'adaptive', maxAttempts: 8, ...(endpoint === undefined ? {} : { endpoint }) }),
  );
  return made;
}
