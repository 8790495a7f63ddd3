import type { LinuxKernel } from '../core/filesystem/linux-kernel';
import type { AwsClients } from './clients';
import type { Pause } from './pause';
import type { DocumentStore } from './s3/document-store';
import type { LeaseStore } from './s3/lease-store';
import type { S3PackStore } from './s3/pack-store';

/** Everything a step may need: made once by lambdas/runtime, by hand in tests. */
export interface Services extends AwsClients {
  readonly documents: DocumentStore;
  readonly packs: S3PackStore;
  readonly leases: LeaseStore;
  readonly now: () => Date;
  readonly pause: Pause;
  /** Where the deployment has the kernel engine. */
  readonly kernel?: LinuxKernel;
}
