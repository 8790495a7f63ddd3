import type { LambdaFunction } from '../lambda';
import type { FileAsset, ImageAsset } from './cloud-assembly';
import { DeployError } from './deploy-error';
import { imageFunctionOf, type FunctionCode } from './image-function';

/** `AWS::Lambda::Function` with its values resolved. */
interface FunctionProperties {
  PackageType?: string;
  ImageConfig?: { Command?: string[] };
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

/** Where the assembly has what templates name. */
export interface CodeSources {
  assetOf(bucket: string, key: string): FileAsset | undefined;
  imageOf(uri: string): ImageAsset | undefined;
}

/** @throws DeployError when the code is not in the assembly, or not for Node.js. */
export function lambdaFunctionOf(
  logicalId: string,
  properties: FunctionProperties,
  { name, arn }: { name: string; arn: string },
  sources: CodeSources,
): LambdaFunction {
  const { Timeout, MemorySize, Description, Environment } = properties;
  const code =
    properties.PackageType === 'Image'
      ? codeInImage(logicalId, properties, sources)
      : codeInFolder(logicalId, properties, sources);
  const variables = Object.entries(Environment?.Variables ?? {}).map(([key, value]) => [key, String(value)]);
  return {
    name,
    arn,
    ...code,
    timeoutSeconds: Timeout ?? DEFAULT_TIMEOUT_SECONDS,
    memoryMegabytes: MemorySize ?? DEFAULT_MEMORY_MEGABYTES,
    environment: Object.fromEntries(variables) as Record<string, string>,
    description: Description,
  };
}

function codeInFolder(
  logicalId: string,
  { Code = {}, Handler = '', Runtime = '' }: FunctionProperties,
  { assetOf }: CodeSources,
): FunctionCode {
  if (!Runtime.startsWith('nodejs'))
    throw new DeployError(`${logicalId}: functions of runtime ${Runtime} are not supported.`);
  const asset = assetOf(Code.S3Bucket ?? '', Code.S3Key ?? '');
  if (!asset?.isFolder)
    throw new DeployError(
      `${logicalId}: its code is not a folder of the assembly (${JSON.stringify(Code)}).`,
    );
  return { codeFolder: asset.path, handler: Handler, runtime: Runtime };
}

function codeInImage(
  logicalId: string,
  { Code = {}, ImageConfig = {} }: FunctionProperties,
  { imageOf }: CodeSources,
): FunctionCode {
  const image = imageOf(Code.ImageUri ?? '');
  if (image === undefined)
    throw new DeployError(`${logicalId}: its image is not one of the assembly (${JSON.stringify(Code)}).`);
  return imageFunctionOf(logicalId, image, ImageConfig.Command ?? []);
}
