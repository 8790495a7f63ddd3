import { readFileSync } from 'node:fs';
import type { Lambdas } from '../lambda';
import type { S3 } from '../s3';
import type { Engine } from '../states';
import { readCloudAssembly, type AssemblyStack, type FileAsset } from './cloud-assembly';
import { lambdaFunctionOf } from './function-properties';
import { imageNamed } from './image-uri';
import { ACCEPTED } from './resource-attributes';
import { StackScope } from './stack-scope';
import { definitionOf } from './state-machine-properties';

export interface DeployTarget {
  readonly s3: S3;
  readonly lambdas: Lambdas;
  readonly engine: Engine;
  /** Told of network resources, which EC2 must know when machines are launched into them. */
  readonly network?: {
    securityGroup(groupId: string, properties: Readonly<Record<string, unknown>>): void;
    subnet(subnetId: string, properties: Readonly<Record<string, unknown>>): void;
  };
  readonly region: string;
  readonly accountId: string;
}

/** What a deployment made, all stacks together. */
export interface Deployment {
  readonly outputs: Record<string, string>;
  /** ARN by name. */
  readonly stateMachines: Record<string, string>;
  /** Name by logical id. */
  readonly functions: Record<string, string>;
  /** Name by logical id. */
  readonly buckets: Record<string, string>;
  /** Types that were accepted without anything being made. */
  readonly accepted: string[];
  /** Types that are not known here; nothing was made. */
  readonly unknown: string[];
}

/**
 * Makes what a cloud assembly's templates describe: buckets, file assets in their buckets, functions, state machines. Again
 * with the same stack: functions and state machines are updated, buckets and what they hold stay.
 * @throws DeployError, DefinitionError
 */
export async function deployAssembly(folder: string, target: DeployTarget): Promise<Deployment> {
  const deployment: Deployment = {
    outputs: {},
    stateMachines: {},
    functions: {},
    buckets: {},
    accepted: [],
    unknown: [],
  };
  for (const stack of readCloudAssembly(folder)) await deployStack(stack, target, deployment);
  return deployment;
}

async function deployStack(stack: AssemblyStack, target: DeployTarget, made: Deployment): Promise<void> {
  const { region, accountId } = target;
  const scope = new StackScope(stack.template, { stackName: stack.name, region, accountId });
  const assets = await publishAssets(stack.assets, scope, target.s3);
  const assetOf = (bucket: string, key: string): FileAsset | undefined => assets.get(`${bucket}/${key}`);
  const imageOf = (uri: string) => imageNamed(uri, stack.images, (name) => scope.pseudo(name));
  for (const [logicalId, resource] of scope.resources()) {
    const properties = (): Record<string, unknown> => scope.properties(resource);
    const name = (): string => String(scope.ref(logicalId));
    const arn = (): string => String(scope.attribute(logicalId, 'Arn'));
    switch (resource.Type) {
      case 'AWS::S3::Bucket':
        await target.s3.ensureBucket(name());
        made.buckets[logicalId] = name();
        break;
      case 'AWS::Lambda::Function':
        await target.lambdas.put(
          lambdaFunctionOf(logicalId, properties(), { name: name(), arn: arn() }, { assetOf, imageOf }),
        );
        made.functions[logicalId] = name();
        break;
      case 'AWS::StepFunctions::StateMachine': {
        const machine = String(scope.attribute(logicalId, 'Name'));
        target.engine.putStateMachine(machine, definitionOf(logicalId, properties(), assetOf));
        made.stateMachines[machine] = arn();
        break;
      }
      default: {
        if (resource.Type === 'AWS::EC2::SecurityGroup')
          target.network?.securityGroup(String(scope.attribute(logicalId, 'GroupId')), properties());
        if (resource.Type === 'AWS::EC2::Subnet') target.network?.subnet(name(), properties());
        const list = resource.Type in ACCEPTED ? made.accepted : made.unknown;
        if (!list.includes(resource.Type)) list.push(resource.Type);
      }
    }
  }
  Object.assign(made.outputs, scope.outputs());
}

/** Puts files into their buckets. Folders are not zipped: who needs one is given the folder. */
async function publishAssets(
  assets: readonly FileAsset[],
  scope: StackScope,
  s3: S3,
): Promise<Map<string, FileAsset>> {
  const published = new Map<string, FileAsset>();
  for (const asset of assets) {
    const bucket = scope.pseudo(asset.bucketName);
    const key = scope.pseudo(asset.objectKey);
    published.set(`${bucket}/${key}`, asset);
    await s3.ensureBucket(bucket);
    if (!asset.isFolder) await s3.put(bucket, key, readFileSync(asset.path));
  }
  return published;
}
