import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import * as ebsSdk from '@aws-sdk/client-ebs';
import * as ec2Sdk from '@aws-sdk/client-ec2';
import * as ssmSdk from '@aws-sdk/client-ssm';
import { logCalls } from './call-log';
import { RealClock } from './clock';
import type { LocalCloudOptions } from './cloud-options';
import { deployAssembly, type Deployment } from './deploy';
import { createEbs, EBS_SERVICE_OPTIONS } from './ebs';
import { createEc2 } from './ec2';
import type { FleetRegistry } from './fleet/demo-fleet';
import { fleetRegistry } from './fleet/fleet-registry';
import { ImaginaryMachines, NspawnMachines, type Machines } from './instances';
import { createLambdaService, Lambdas } from './lambda';
import { createS3 } from './s3';
import { createSsm } from './ssm';
import {
  ACCOUNT_ID,
  adoptSecurityGroup,
  adoptSubnet,
  EventLog,
  LocalEc2State,
  MemoryStorage,
  reflinkFolder,
  ReflinkStorage,
  REGION,
} from './state';
import { createStatesService, Engine } from './states';
import { sdkCaller } from './states/integrations/sdk-caller';
import { createService, nested, serveWire, type AroundCall } from './wire';
import { FaultPlan } from './wire/faults';

export type { LocalCloudOptions } from './cloud-options';
export type { Deployment } from './deploy';
export { isInPrivateNamespace, reexecInPrivateNamespace, startInPrivateNamespace } from './instances';

/** The embedded cloud, serving. */
export interface LocalCloud {
  /** For AWS_ENDPOINT_URL. */
  readonly url: string;
  readonly region: string;
  /** EC2's records, for who looks from this process. */
  readonly ec2State: LocalEc2State;
  readonly engine: Engine;
  readonly lambdas: Lambdas;
  /** Takes machines that were built on this box into the cloud. */
  readonly fleet: FleetRegistry;
  /** On the filesystem that holds the disks: where machines are best built. */
  readonly diskFolder: string;
  /** Faults of AWS calls, for tests and demonstrations; those of functions are in `lambdas.faults`. */
  readonly faults: FaultPlan;
  /** Makes what the output of `cdk synth` describes; again, it updates. */
  deploy(cdkOutFolder: string): Promise<Deployment>;
  /** Resolves when no instance is on its way from one state to another. */
  settled(): Promise<void>;
  /** Stops executions, functions and machines, and writes down what they left. */
  close(): Promise<void>;
}

/** Any credentials do: signatures are not checked. */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/**
 * Starts all services on one loopback port, over the state that the folder holds. With real machines or disks the process
 * must be in a private namespace (`reexecInPrivateNamespace`).
 * @throws PrivateNamespaceNeededError, NoReflinksError
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const {
    stateFolder,
    port = 0,
    speed = 1,
    concurrency,
    storage = 'disk',
    timings,
    functionVariables,
  } = options;
  await mkdir(stateFolder, { recursive: true });
  const clock = new RealClock({ speed });
  const events = new EventLog(clock, path.join(stateFolder, 'events.jsonl'));
  const faults = new FaultPlan();
  const watch = (service: string): { around: AroundCall } => ({
    around: nested(logCalls(events, service), faults.around(service)),
  });

  const diskFolder = storage === 'disk' ? await reflinkFolder(stateFolder) : stateFolder;
  const blocks = storage === 'disk' ? await ReflinkStorage.open(diskFolder) : new MemoryStorage();
  const ec2State = await LocalEc2State.open({ clock, events, storage: blocks, folder: stateFolder, timings });
  let url = '';
  const machines = await machinesOf(options, () => url);
  const ec2 = createEc2(ec2State, machines);
  const s3Folder = path.join(stateFolder, 's3');
  const s3 = await createS3({ folder: s3Folder, region: REGION, clock, around: faults.around('s3') });
  const ssm = await createSsm(ec2State, { machines, putObject: s3.put, folder: stateFolder });

  const lambdas = new Lambdas({
    logFolder: path.join(stateFolder, 'logs'),
    concurrency,
    clock,
    variables: () => ({ ...functionVariables, ...endpointVariables(url), PATH: process.env['PATH'] ?? '' }),
  });
  const sdkConfiguration = () => ({ endpoint: url, region: REGION, credentials: CREDENTIALS });
  const engine = new Engine({
    folder: stateFolder,
    clock,
    // What tasks do takes real time.
    deadlineClock: new RealClock(),
    region: REGION,
    accountId: ACCOUNT_ID,
    targets: { lambda: lambdas, aws: sdkCaller(sdkConfiguration) },
    objects: s3,
  });
  const server = await serveWire(
    {
      ebs: createService(ebsSdk, createEbs(ec2State), { ...EBS_SERVICE_OPTIONS, ...watch('ebs') }),
      ec2: createService(ec2Sdk, ec2.handlers, watch('ec2')),
      lambda: createLambdaService(lambdas),
      s3: s3.service,
      ssm: createService(ssmSdk, ssm.handlers, watch('ssm')),
      states: createStatesService(engine),
    },
    port,
  );
  url = server.url;
  ec2.lifecycle.resume();

  const client = new ec2Sdk.EC2Client(sdkConfiguration());
  const startInstance = async (instanceId: string): Promise<void> => {
    await client.send(new ec2Sdk.StartInstancesCommand({ InstanceIds: [instanceId] }));
  };
  return {
    url,
    region: REGION,
    ec2State,
    engine,
    lambdas,
    fleet: fleetRegistry(ec2State, diskFolder, machines, startInstance),
    diskFolder,
    faults,
    deploy: (folder) =>
      deployAssembly(folder, {
        s3,
        lambdas,
        engine,
        network: {
          securityGroup: (id, properties) => adoptSecurityGroup(ec2State, id, properties),
          subnet: (id, properties) => adoptSubnet(ec2State, id, properties),
        },
        region: REGION,
        accountId: ACCOUNT_ID,
      }),
    settled: () => ec2.lifecycle.settled(),
    async close() {
      await engine.close();
      await lambdas.close();
      client.destroy();
      await server.close();
      await ssm.close();
      await ec2.lifecycle.close();
      await machines.close();
      await ec2State.flush();
      await events.close();
    },
  };
}

async function machinesOf(
  { machines, stateFolder, sites, upstreamProxy }: LocalCloudOptions,
  cloud: () => string,
): Promise<Machines> {
  if (machines === 'imaginary') return new ImaginaryMachines();
  const consoleFolder = path.join(stateFolder, 'consoles');
  return machines ?? (await NspawnMachines.open({ consoleFolder, sites, upstream: upstreamProxy, cloud }));
}

/** What makes an AWS SDK or CLI talk to this cloud. */
const endpointVariables = (url: string): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_REGION: REGION,
  AWS_DEFAULT_REGION: REGION,
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: 'true',
});
