import type { LambdaFunction } from '../lambda';
import type { FileAsset } from './cloud-assembly';
import { DeployError } from './deploy-error';

/** `AWS::Lambda::Function` with its values resolved. */
interface FunctionProperties {
  Code?: { S3Bucket?: string; S3Key?: string; ZipFile?: string; ImageUri?: string };
  Handler?: string;
  Runtime?: string;
  Timeout?: number;
  MemorySize?: number;
  Description?: string;
  Environment?: { Variables?: Record<string, unknown> };
}

/** The smallest Lambda gives (API reference, CreateFunction). */
const DEFAULT_TIMEOUT_SECONDS = 3;
const DEFAULT_MEMORY_MEGABYTES = 128;

/** @throws DeployError when the code is not a folder of the assembly, or not for Node.js. */
export function lambdaFunctionOf(
  logicalId: string,
  properties: FunctionProperties,
  { name, arn }: { name: string; arn: string },
  assetOf: (bucket: string, key: string) => FileAsset | undefined,
): LambdaFunction {
  const { Code = {}, Handler = '', Runtime = '', Timeout, MemorySize, Description, Environment } = properties;
  if (!Runtime.startsWith('nodejs'))
    throw new DeployError(
      `${logicalId}: functions of runtime ${Runtime || 'container image'} are not supported.`,
    );
  const asset = assetOf(Code.S3Bucket ?? '', Code.S3Key ?? '');
  if (!asset?.isFolder)
    throw new DeployError(
      `${logicalId}: its code is not a folder of the assembly (${JSON.stringify(Code)}).`,
    );
  const variables = Object.entries(Environment?.Variables ?? {}).map(([key, value]) => [key, String(value)]);
  return {
    name,
    arn,
    codeFolder: asset.path,
    handler: Handler,
    runtime: Runtime,
    timeoutSeconds: Timeout ?? DEFAULT_TIMEOUT_SECONDS,
    memoryMegabytes: MemorySize ?? DEFAULT_MEMORY_MEGABYTES,
    environment: Object.fromEntries(variables) as Record<string, string>,
    description: Description,
  };
}
