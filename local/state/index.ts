export { ACCOUNT_ID, DEFAULT_AVAILABILITY_ZONE, DEFAULT_EBS_KEY_ARN, REGION } from './account';
export { BLOCK_BYTES, BYTES_PER_GIB, type BlockStorage } from './block-storage';
export { EventLog, type CallEvent, type CloudEvent, type InstanceStateEvent } from './event-log';
export { addInstance, attachDataVolume, importVolume, type NewInstance } from './fleet';
export { JsonDocument, readJson, writeJsonAtomically } from './json-document';
export { KeyedLock } from './keyed-lock';
export {
  DEFAULT_SECURITY_GROUP_ID,
  DEFAULT_SUBNET_ID,
  DEFAULT_VPC_ID,
  LocalEc2State,
  type StateOptions,
} from './local-ec2-state';
export { MemoryStorage } from './memory-storage';
export { NoReflinksError, reflinkFolder } from './reflink-folder';
export { adoptSecurityGroup, adoptSubnet } from './network';
export { ReflinkStorage } from './reflink-storage';
export { DEFAULT_TIMINGS, type Timings } from './timings';
