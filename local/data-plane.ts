import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import * as ebsModule from '@aws-sdk/client-ebs';
import * as ec2Module from '@aws-sdk/client-ec2';
import * as ssmModule from '@aws-sdk/client-ssm';
import type { Clock } from './clock';
import { createEbs, EBS_SERVICE_OPTIONS } from './ebs';
import { createEc2 } from './ec2';
import { NspawnMachines, type Machines } from './instances';
import { createSsm, type PutObject } from './ssm';
import {
  EventLog,
  LocalEc2State,
  loggedCalls,
  reflinkFolder,
  ReflinkStorage,
  type BlockStorage,
  type Timings,
} from './state';
import { createService, FaultPlan, nested, type WireService } from './wire';

export interface DataPlaneOptions {
  readonly stateFolder: string;
  readonly clock: Clock;
  /** Stores the output of Run Command: local S3. */
  readonly putObject: PutObject;
  readonly faults?: FaultPlan;
  /** Folders that machines reach as `http://<name>/...`. */
  readonly sites?: Readonly<Record<string, string>>;
  /** The host's own proxy, when it has one. */
  readonly upstreamProxy?: string;
  readonly timings?: Partial<Timings>;
  /** Replaces the real machines, for tests. */
  readonly machines?: Machines;
  /** Replaces the disks, for tests. */
  readonly storage?: BlockStorage;
}

/** EC2, EBS direct and SSM of the embedded cloud, over one state folder. */
export interface DataPlane {
  /** By the name in the credential scope, for `serveWire`. */
  readonly services: { ec2: WireService; ebs: WireService; ssm: WireService };
  readonly state: LocalEc2State;
  readonly events: EventLog;
  readonly machines: Machines;
  /** Resolves when no instance is on its way from one state to another. */
  settled(): Promise<void>;
  /** Powers the machines off and writes everything to disk; instances keep their states for the next start. */
  close(): Promise<void>;
}

/**
 * Opens the data plane; instances that were running when it was closed, or killed, are booted again. With real machines
 * the process must be in a private namespace (`reexecInPrivateNamespace`).
 */
export async function openDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { stateFolder, clock, faults = new FaultPlan() } = options;
  await mkdir(stateFolder, { recursive: true });
  const events = new EventLog(clock, path.join(stateFolder, 'events.jsonl'));
  const storage = options.storage ?? (await ReflinkStorage.open(await reflinkFolder(stateFolder)));
  const machines =
    options.machines ??
    (await NspawnMachines.open({
      consoleFolder: path.join(stateFolder, 'console'),
      sites: options.sites,
      upstream: options.upstreamProxy,
    }));
  const state = await LocalEc2State.open({
    clock,
    events,
    storage,
    folder: stateFolder,
    timings: options.timings,
  });
  const ec2 = createEc2(state, machines);
  const ssm = await createSsm(state, { machines, putObject: options.putObject, folder: stateFolder });
  const around = (service: string) => ({
    around: nested(loggedCalls(events, service), faults.around(service)),
  });
  ec2.lifecycle.resume();
  return {
    services: {
      ec2: createService(ec2Module, ec2.handlers, around('ec2')),
      ebs: createService(ebsModule, createEbs(state), { ...EBS_SERVICE_OPTIONS, ...around('ebs') }),
      ssm: createService(ssmModule, ssm.handlers, around('ssm')),
    },
    state,
    events,
    machines,
    settled: () => ec2.lifecycle.settled(),
    async close() {
      await ssm.close();
      await ec2.lifecycle.close();
      await machines.close();
      await state.flush();
      await events.close();
    },
  };
}
