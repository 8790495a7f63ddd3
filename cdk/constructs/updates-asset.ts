import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Aws } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { UpdatesDocument } from '../../core/workflow/updates-document';
import { allow } from './allow';
import type { BundledFunction } from './bundled-function';

/** The updates and defaults of the deployment, as a file that plan-run reads: scripts may be longer than a variable. */
export class UpdatesAsset extends Construct {
  private readonly asset: Asset;

  constructor(scope: Construct, id: string, document: UpdatesDocument) {
    super(scope, id);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'imageelves-'));
    try {
      const file = path.join(folder, 'updates.json');
      fs.writeFileSync(file, JSON.stringify(document, undefined, 2));
      // The asset is copied into the cloud assembly at once.
      this.asset = new Asset(this, 'Asset', { path: file });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }

  /** Read this one object, whose place the function finds in its variables. */
  grantRead(step: BundledFunction): void {
    step.setVariable('UPDATES_BUCKET', this.asset.s3BucketName);
    step.setVariable('UPDATES_KEY', this.asset.s3ObjectKey);
    allow(step.role, {
      actions: ['s3:GetObject'],
      resources: [`arn:${Aws.PARTITION}:s3:::${this.asset.s3BucketName}/${this.asset.s3ObjectKey}`],
    });
  }
}
