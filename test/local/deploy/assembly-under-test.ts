import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../../support/temporary-folder';

const BUCKET = 'cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}';

interface Asset {
  /** Key in the asset bucket. */
  readonly key: string;
  /** A file's text, or a folder's files by name. */
  readonly content: string | Readonly<Record<string, string>>;
}

/** Writes a cloud assembly of one stack, as `cdk synth` lays it out, and returns its folder. */
export function writeAssembly(template: object, assets: readonly Asset[] = [], stack = 'Test'): string {
  const folder = temporaryFolder('cdk-out');
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
  write(`${stack}.assets.json`, { version: '48.0.0', files, dockerImages: {} });
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
