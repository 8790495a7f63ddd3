import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../../support/temporary-folder';

const BUCKET = 'cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}';

const REPOSITORY = 'cdk-hnb659fds-container-assets-${AWS::AccountId}-${AWS::Region}';

interface Asset {
  /** Key in the asset bucket. */
  readonly key: string;
  /** A file's text, or a folder's files by name. */
  readonly content: string | Readonly<Record<string, string>>;
}

/** Files of the folder of a container image, by name, and its tag. */
interface Image {
  readonly tag: string;
  readonly content: Readonly<Record<string, string>>;
}

/** Writes a cloud assembly of one stack, as `cdk synth` lays it out, and returns its folder. */
export function writeAssembly(
  template: object,
  assets: readonly Asset[] = [],
  stack = 'Test',
  images: readonly Image[] = [],
): string {
  const folder = temporaryFolder('cdk-out');
  const dockerImages: Record<string, object> = {};
  for (const { tag, content } of images) {
    const directory = `asset.${tag}`;
    for (const [file, text] of Object.entries(content)) {
      mkdirSync(path.join(folder, directory, path.dirname(file)), { recursive: true });
      writeFileSync(path.join(folder, directory, file), text);
    }
    const destination = { repositoryName: REPOSITORY, imageTag: tag };
    dockerImages[tag] = {
      source: { directory },
      destinations: { 'current_account-current_region': destination },
    };
  }
  const files: Record<string, object> = {};
  for (const [index, { key, content }] of assets.entries()) {
    const name = `asset.${index}`;
    const packaging = typeof content === 'string' ? 'file' : 'zip';
    if (typeof content === 'string') writeFileSync(path.join(folder, name), content);
    else {
      mkdirSync(path.join(folder, name));
      for (const [file, text] of Object.entries(content)) writeFileSync(path.join(folder, name, file), text);
    }
    const destinations = { 'current_account-current_region': { bucketName: BUCKET, objectKey: key } };
    files[`${index}`] = { source: { path: name, packaging }, destinations };
  }
  const write = (name: string, document: object): void =>
    writeFileSync(path.join(folder, name), JSON.stringify(document));
  write(`${stack}.template.json`, template);
  write(`${stack}.assets.json`, { version: '48.0.0', files, dockerImages });
  write('manifest.json', {
    version: '48.0.0',
    artifacts: {
      [`${stack}.assets`]: { type: 'cdk:asset-manifest', properties: { file: `${stack}.assets.json` } },
      [stack]: {
        type: 'aws:cloudformation:stack',
        properties: { templateFile: `${stack}.template.json` },
        dependencies: [`${stack}.assets`],
      },
      Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
    },
  });
  return folder;
}

/** How CDK writes the place of an asset. */
export const assetLocation = (key: string) => ({ Bucket: { 'Fn::Sub': BUCKET }, Key: key });
export const codeLocation = (key: string) => ({ S3Bucket: { 'Fn::Sub': BUCKET }, S3Key: key });
export const imageLocation = (tag: string) => ({
  ImageUri: {
    'Fn::Sub': `\${AWS::AccountId}.dkr.ecr.\${AWS::Region}.\${AWS::URLSuffix}/${REPOSITORY}:${tag}`,
  },
});
