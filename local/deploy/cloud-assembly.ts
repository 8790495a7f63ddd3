import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DeployError } from './deploy-error';

/** One resource of a CloudFormation template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly Condition?: string;
}

export interface Template {
  readonly Resources?: Record<string, TemplateResource>;
  readonly Parameters?: Record<string, { Type: string; Default?: unknown }>;
  readonly Conditions?: Record<string, unknown>;
  readonly Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  readonly Outputs?: Record<string, { Value: unknown; Condition?: string }>;
}

/** A file or folder that the template finds in a bucket by key. */
export interface FileAsset {
  /** Absolute. */
  readonly path: string;
  /** A folder that would be zipped. */
  readonly isFolder: boolean;
  /** May hold `${AWS::AccountId}` and the like. */
  readonly bucketName: string;
  readonly objectKey: string;
}

/** A container image that would be built from a folder with a Dockerfile, and pushed. */
export interface ImageAsset {
  /** Absolute. */
  readonly folder: string;
  readonly dockerFile: string;
  /** May hold `${AWS::AccountId}` and the like. */
  readonly repositoryName: string;
  readonly imageTag: string;
}

export interface AssemblyStack {
  readonly name: string;
  readonly template: Template;
  readonly assets: readonly FileAsset[];
  readonly images: readonly ImageAsset[];
}

interface Artifact {
  type: string;
  properties?: { templateFile?: string; stackName?: string; file?: string };
  dependencies?: string[];
}

interface AssetManifest {
  files?: Record<
    string,
    {
      source: { path?: string; packaging?: string };
      destinations: Record<string, { bucketName: string; objectKey: string }>;
    }
  >;
  dockerImages?: Record<
    string,
    {
      source: { directory?: string; dockerFile?: string };
      destinations: Record<string, { repositoryName: string; imageTag: string }>;
    }
  >;
}

/**
 * Reads what `cdk synth` wrote: the stacks in the order in which they depend on each other, with their file assets.
 * @throws DeployError when the folder is no cloud assembly or has no stack.
 */
export function readCloudAssembly(folder: string): AssemblyStack[] {
  const file = path.join(folder, 'manifest.json');
  if (!existsSync(file)) throw new DeployError(`There is no ${file}: run "npx cdk synth" first.`);
  const { artifacts = {} } = readJson(file) as { artifacts?: Record<string, Artifact> };
  const stacks = inOrder(artifacts).flatMap(([id, { properties = {} }]) => {
    if (properties.templateFile === undefined) return [];
    const template = readJson(path.join(folder, properties.templateFile)) as Template;
    const manifests = assetManifestsOf(folder, artifacts, id);
    const assets = manifests.flatMap((manifest) => fileAssetsOf(folder, manifest));
    const images = manifests.flatMap((manifest) => imageAssetsOf(folder, manifest));
    return [{ name: properties.stackName ?? id, template, assets, images }];
  });
  if (stacks.length === 0) throw new DeployError(`${file} names no stack.`);
  return stacks;
}

function inOrder(artifacts: Record<string, Artifact>): [string, Artifact][] {
  const ordered = new Map<string, Artifact>();
  const visit = (id: string): void => {
    const artifact = artifacts[id];
    if (!artifact || ordered.has(id)) return;
    for (const dependency of artifact.dependencies ?? []) visit(dependency);
    if (artifact.type === 'aws:cloudformation:stack') ordered.set(id, artifact);
  };
  for (const id of Object.keys(artifacts)) visit(id);
  return [...ordered];
}

function assetManifestsOf(
  folder: string,
  artifacts: Record<string, Artifact>,
  stackId: string,
): AssetManifest[] {
  return (artifacts[stackId]?.dependencies ?? [])
    .map((id) => artifacts[id])
    .filter((artifact) => artifact?.type === 'cdk:asset-manifest')
    .map((artifact) => readJson(path.join(folder, artifact?.properties?.file ?? '')) as AssetManifest);
}

function fileAssetsOf(folder: string, { files = {} }: AssetManifest): FileAsset[] {
  return Object.entries(files).flatMap(([id, { source, destinations }]) => {
    if (source.path === undefined)
      throw new DeployError(`The asset ${id} is made by a program, which is not supported.`);
    const asset = { path: path.resolve(folder, source.path), isFolder: source.packaging === 'zip' };
    return Object.values(destinations).map(({ bucketName, objectKey }) => ({
      ...asset,
      bucketName,
      objectKey,
    }));
  });
}

function imageAssetsOf(folder: string, { dockerImages = {} }: AssetManifest): ImageAsset[] {
  return Object.entries(dockerImages).flatMap(([id, { source, destinations }]) => {
    if (source.directory === undefined)
      throw new DeployError(`The image ${id} is made by a program, which is not supported.`);
    const asset = {
      folder: path.resolve(folder, source.directory),
      dockerFile: source.dockerFile ?? 'Dockerfile',
    };
    return Object.values(destinations).map(({ repositoryName, imageTag }) => ({
      ...asset,
      repositoryName,
      imageTag,
    }));
  });
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8')) as unknown;
