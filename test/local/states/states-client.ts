import { SFNClient } from '@aws-sdk/client-sfn';
import { createStatesService } from '../../../local/states';
import { inProcessHandler } from '../../../local/wire';
import { engineUnderTest, type EngineUnderTest } from './engine-under-test';

/** An engine under test behind its own API, and the SDK's client of it. */
export function statesUnderTest(options: Parameters<typeof engineUnderTest>[0] = {}): EngineUnderTest & {
  client: SFNClient;
} {
  const under = engineUnderTest(options);
  const client = new SFNClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
    requestHandler: inProcessHandler(createStatesService(under.engine)),
  });
  return { ...under, client };
}
