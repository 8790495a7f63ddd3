import { createClients } from '../../aws/clients';
import { DocumentStore } from '../../aws/s3/document-store';
import { LeaseStore } from '../../aws/s3/lease-store';
import { S3PackStore } from '../../aws/s3/pack-store';
import { realPause } from '../../aws/pause';
import type { Services } from '../../aws/services';
import { EmulatedKernel } from '../../kernel-engine';
import { optionalEnv, requireEnv } from './env';

let made: Promise<Services> | undefined;

/** The one place where adapters are put together: clients live as long as the execution environment. */
export function services(): Promise<Services> {
  made ??= makeServices();
  return made;
}

async function makeServices(): Promise<Services> {
  const clients = createClients(optionalEnv('AWS_ENDPOINT_URL'));
  const documents = new DocumentStore(clients.s3, requireEnv('BUCKET_NAME'));
  // Set where the function's image brings the kernel engine along.
  const directory = optionalEnv('KERNEL_ENGINE_DIRECTORY');
  return {
    ...clients,
    documents,
    packs: new S3PackStore(clients.s3, documents.bucket),
    leases: new LeaseStore(documents),
    now: () => new Date(),
    pause: realPause,
    ...(directory === undefined ? {} : { kernel: await EmulatedKernel.open({ directory }) }),
  };
}
