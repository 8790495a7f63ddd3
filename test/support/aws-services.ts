import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as ebsSdk from '@aws-sdk/client-ebs';
import * as ec2Sdk from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { DocumentStore } from '../../aws/s3/document-store';
import { LeaseStore } from '../../aws/s3/lease-store';
import { S3PackStore } from '../../aws/s3/pack-store';
import type { Services } from '../../aws/services';
import type { LinuxKernel } from '../../core/filesystem/linux-kernel';
import { RealClock } from '../../local/clock';
import { createEbs, EBS_SERVICE_OPTIONS } from '../../local/ebs';
import { createEc2 } from '../../local/ec2';
import { ImaginaryMachines } from '../../local/instances/machines';
import { createS3 } from '../../local/s3';
import { EventLog, LocalEc2State, MemoryStorage, REGION } from '../../local/state';
import { type AroundCall, createService, FaultPlan, inProcessHandler, nested } from '../../local/wire';
import { FakeRunCommand } from './fake-run-command';

export const TEST_BUCKET = 'run-documents';

/** The adapters over the embedded cloud's own services, in this process, with no time to wait and faults to inject. */
export interface TestServices extends Services {
  readonly state: LocalEc2State;
  readonly faults: FaultPlan;
  /** Every call that reached a service, as `Operation`. */
  readonly calls: string[];
  readonly runCommand: FakeRunCommand;
  close(): Promise<void>;
}

/** A thousand seconds of the cloud in one of the test's: an attachment of 2 s takes 2 ms. */
const SPEED = 1_000;

export interface TestServiceOptions {
  /** Of the SDK, for each call. With 1 the first fault reaches the step, as if its Lambda had been killed there. */
  readonly maxAttempts?: number;
  readonly kernel?: LinuxKernel;
}

export async function startTestServices({
  maxAttempts = 4,
  kernel,
}: TestServiceOptions = {}): Promise<TestServices> {
  const folder = await mkdtemp(path.join(tmpdir(), 'imageelves-test-'));
  const clock = new RealClock({ speed: SPEED });
  const events = new EventLog(clock, path.join(folder, 'events.jsonl'));
  const state = await LocalEc2State.open({ clock, events, storage: new MemoryStorage() });
  const faults = new FaultPlan();
  const calls: string[] = [];
  const recorded: AroundCall = ({ operation }, next) => {
    calls.push(operation);
    return next();
  };
  const around = (service: string): AroundCall => nested(recorded, faults.around(service));
  const s3Service = await createS3({ folder, region: REGION, clock, around: around('s3') });
  await s3Service.ensureBucket(TEST_BUCKET);
  const common = {
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    endpoint: 'http://127.0.0.1:1',
    maxAttempts,
  };
  const ec2 = createEc2(state, new ImaginaryMachines());
  const s3 = new S3Client({
    ...common,
    forcePathStyle: true,
    requestHandler: inProcessHandler(s3Service.service),
  });
  const documents = new DocumentStore(s3, TEST_BUCKET);
  const now = (): Date => clock.now();
  const runCommand = new FakeRunCommand();
  return {
    ebs: new ebsSdk.EBSClient({
      ...common,
      requestHandler: inProcessHandler(
        createService(ebsSdk, createEbs(state), { ...EBS_SERVICE_OPTIONS, around: around('ebs') }),
      ),
    }),
    ec2: new ec2Sdk.EC2Client({
      ...common,
      requestHandler: inProcessHandler(createService(ec2Sdk, ec2.handlers, { around: around('ec2') })),
    }),
    s3,
    ssm: runCommand.client(),
    ssmOnce: runCommand.client(),
    documents,
    packs: new S3PackStore(s3, TEST_BUCKET),
    // In real time: at this speed a lease would run out within a test.
    leases: new LeaseStore(documents),
    now,
    pause: (milliseconds) => clock.sleep(milliseconds),
    state,
    faults,
    calls,
    runCommand,
    ...(kernel === undefined ? {} : { kernel }),
    async close() {
      await events.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
