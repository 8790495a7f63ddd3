import { createClients } from '../../aws/clients';
import { DocumentStore } from '../../aws/s3/document-store';
import { LeaseStore } from '../../aws/s3/lease-store';
import { S3PackStore } from '../../aws/s3/pack-store';
import { realPause } from '../../aws/pause';
import type { Services } from '../../aws/services';
import { optionalEnv, requireEnv } from './env';

let made: Services | undefined;

/** The one place where adapters are put together: clients live as long as the execution environment. */
export function services(): Services {
  made ??= makeServices();
  return made;
}

function makeServices(): Services {
  const clients = createClients(optionalEnv('AWS_ENDPOINT_URL'));
  const documents = new DocumentStore(clients.s3, requireEnv('BUCKET_NAME'));
  return {
    ...clients,
    documents,
    packs: new S3PackStore(clients.s3, documents.bucket),
    leases: new LeaseStore(documents),
    now: () => new Date(),
    pause: realPause,
  };
}
