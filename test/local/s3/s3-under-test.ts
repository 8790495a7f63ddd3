import { S3Client } from '@aws-sdk/client-s3';
import { RealClock } from '../../../local/clock';
import { createS3 } from '../../../local/s3';
import { serveWire, type WireServer } from '../../../local/wire';
import { temporaryFolder } from '../../support/temporary-folder';

/** S3 on a loopback port, and a client of it as a user makes one: only the endpoint is ours. */
export async function serveS3(folder = temporaryFolder('s3')): Promise<{
  client: S3Client;
  server: WireServer;
  folder: string;
  close(): Promise<void>;
}> {
  const s3 = await createS3({ folder, region: 'us-east-1', clock: new RealClock() });
  const server = await serveWire({ s3: s3.service }, 0);
  const client = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
  const close = async (): Promise<void> => {
    client.destroy();
    await server.close();
  };
  return { client, server, folder, close };
}
