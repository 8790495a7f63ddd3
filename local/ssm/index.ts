export { createSsm, type LocalSsm, type SsmOptions } from './create-ssm';
export type { PutObject } from './command-runner';
