import path from 'node:path';
import type { Update } from '../../core/update/update';
import type { FleetFilesystem } from '../../local/fleet/fleet-machines';
import { startLocalCloud, type LocalCloud } from '../../local/start';
import { clientsOf, type AwsClients } from '../run/aws-clients';
import type { Deployment } from '../run/start-run';
import { buildKernelEngine } from './kernel-engine';
import { PROJECT_FOLDER, synthesize } from './synthesize';

/** Waits of the embedded cloud and of the state machines pass this many times as fast as the clock. */
const SPEED = 10;

/** Where clones are launched: the default network of the embedded EC2. */
const CLONE_NETWORK = { cloneVpcId: 'vpc-0a0a0a0a0a0a0a0a0', cloneSubnetId: 'subnet-0a0a0a0a0a0a0a0a0' };

export interface CloudOptions {
  readonly stateFolder: string;
  readonly port: number;
  /** Of the fleet: all but ext4 need the kernel engine. */
  readonly filesystem: FleetFilesystem;
  /** The updates that are deployed, in the place of the app's own. */
  readonly updates?: readonly Update[];
  readonly tell: (line: string) => void;
}

/** An embedded cloud in this process, with the product deployed on it. */
export interface OpenCloud {
  readonly cloud: LocalCloud;
  readonly clients: AwsClients;
  readonly deployment: Deployment;
  readonly repositoryFolder: string;
  /** In the project's folder: what was downloaded and bootstrapped is kept there for the next time. */
  readonly cacheFolder: string;
}

/** Starts the cloud over the state folder and deploys what `cdk synth` makes. The process must be in a private namespace. */
export async function openCloud({
  stateFolder,
  port,
  filesystem,
  updates,
  tell,
}: CloudOptions): Promise<OpenCloud> {
  const repositoryFolder = path.join(stateFolder, 'repository');
  tell('synthesizing: the artifacts that cdk deploy would deploy');
  const [assembly, engine] = await Promise.all([
    synthesize(path.join(stateFolder, 'cdk.out'), {
      ...CLONE_NETWORK,
      ...(updates === undefined ? {} : { updates: JSON.stringify(updates) }),
    }),
    filesystem === 'ext4' ? undefined : buildKernelEngine(tell),
  ]);
  const functionVariables: Record<string, string> =
    engine === undefined ? {} : { KERNEL_ENGINE_DIRECTORY: engine };
  const cloud = await startLocalCloud({
    stateFolder,
    port,
    speed: SPEED,
    sites: { 'repository.local': repositoryFolder },
    functionVariables,
  });
  try {
    const { outputs } = await cloud.deploy(assembly);
    tell(`deployed to the embedded cloud at ${cloud.url}`);
    return {
      cloud,
      clients: clientsOf(cloud.url),
      deployment: deploymentOf(outputs),
      repositoryFolder,
      cacheFolder: path.join(PROJECT_FOLDER, '.imageelves', 'cache'),
    };
  } catch (error) {
    await cloud.close();
    throw error;
  }
}

function deploymentOf(outputs: Readonly<Record<string, string>>): Deployment {
  const output = (suffix: string): string => {
    const found = Object.entries(outputs).find(([name]) => name.endsWith(suffix));
    if (found === undefined)
      throw new Error(`the stack has no output ${suffix}; it has ${Object.keys(outputs).join(', ')}`);
    return found[1];
  };
  return {
    patchFleetArn: output('PatchFleetStateMachineArn'),
    rollBackRunArn: output('RollBackRunStateMachineArn'),
    bucket: output('RunBucketName'),
  };
}
