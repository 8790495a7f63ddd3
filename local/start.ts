import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import * as ebsSdk from '@aws-sdk/client-ebs';
import * as ec2Sdk from '@aws-sdk/client-ec2';
import { RealClock } from './clock';
import type { LocalCloudOptions } from './cloud-options';
import { deployAssembly, type Deployment } from './deploy';
import { createEbs, EBS_SERVICE_OPTIONS } from './ebs';
import { createEc2 } from './ec2';
import { ImaginaryMachines } from './instances/machines';
import { createLambdaService, Lambdas } from './lambda';
import { createS3 } from './s3';
import {
  ACCOUNT_ID,
  EventLog,
  LocalEc2State,
  MemoryStorage,
  reflinkFolder,
  ReflinkStorage,
  REGION,
} from './state';
import { createStatesService, Engine } from './states';
import { sdkCaller } from './states/integrations/sdk-caller';
import { createService, serveWire } from './wire';

export type { LocalCloudOptions } from './cloud-options';
export type { Deployment } from './deploy';

/** The embedded cloud, serving. */
export interface LocalCloud {
  /** For AWS_ENDPOINT_URL. */
  readonly url: string;
  readonly region: string;
  /** EC2's records, for who puts machines into the fleet from this process. */
  readonly ec2State: LocalEc2State;
  readonly lambdas: Lambdas;
  readonly engine: Engine;
  /** Makes what the output of `cdk synth` describes. */
  deploy(cdkOutFolder: string): Promise<Deployment>;
  /** Stops executions, functions and machines, and writes down what they left. */
  close(): Promise<void>;
}

/** Any credentials do: signatures are not checked. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Starts all services on one loopback port, over the state that the folder holds. */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const { stateFolder, port = 0, speed = 1, concurrency, storage = 'disk', timings } = options;
  await mkdir(stateFolder, { recursive: true });
  const clock = new RealClock({ speed });
  const events = new EventLog(clock, path.join(stateFolder, 'events.jsonl'));
  const ec2State = await LocalEc2State.open({
    clock,
    events,
    storage:
      storage === 'memory'
        ? new MemoryStorage()
        : await ReflinkStorage.open(await reflinkFolder(stateFolder)),
    folder: stateFolder,
    timings,
  });
  const machines = options.machines ?? new ImaginaryMachines();
  const s3 = await createS3({ folder: path.join(stateFolder, 's3'), region: REGION, clock });
  let url = '';
  const lambdas = new Lambdas({
    logFolder: path.join(stateFolder, 'logs'),
    concurrency,
    clock,
    variables: () => ({
      AWS_ENDPOINT_URL: url,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      PATH: process.env['PATH'] ?? '',
    }),
  });
  const engine = new Engine({
    folder: stateFolder,
    clock,
    // What tasks do takes real time.
    deadlineClock: new RealClock(),
    region: REGION,
    accountId: ACCOUNT_ID,
    targets: {
      lambda: lambdas,
      aws: sdkCaller(() => ({ endpoint: url, region: REGION, credentials: CREDENTIALS })),
    },
    objects: s3,
  });
  const ec2 = createEc2(ec2State, machines);
  const server = await serveWire(
    {
      ebs: createService(ebsSdk, createEbs(ec2State), EBS_SERVICE_OPTIONS),
      ec2: createService(ec2Sdk, ec2.handlers),
      lambda: createLambdaService(lambdas),
      s3: s3.service,
      states: createStatesService(engine),
    },
    port,
  );
  url = server.url;
  return {
    url,
    region: REGION,
    ec2State,
    lambdas,
    engine,
    deploy: (folder) =>
      deployAssembly(folder, { s3, lambdas, engine, region: REGION, accountId: ACCOUNT_ID }),
    async close() {
      await engine.close();
      await lambdas.close();
      await server.close();
      await machines.close();
      await ec2State.flush();
      await events.close();
    },
  };
}
