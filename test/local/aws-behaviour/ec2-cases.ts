import { EC2_INSTANCE_CASES } from './ec2-instance-cases';
import { EC2_VOLUME_CASES } from './ec2-volume-cases';
import type { Cases } from './expectations';

export const EC2_CASES: Cases = { ...EC2_VOLUME_CASES, ...EC2_INSTANCE_CASES };

export const EC2_NOT_HELD: Readonly<Record<string, string>> = {
  'ec2-033': 'which well-formed ids AWS takes for malformed is not known: an unknown one is not found',
  'ec2-050':
    'reads of a volume that is going agree with one another; on AWS four reads disagree for about a second',
  'ec2-098': 'attachments do not go through attaching again while an instance stops',
  'ec2-113': 'the console can be read at once',
};

export const EC2_NOT_SERVED: Readonly<Record<string, string>> = {
  'ec2-045': 'no IAM',
  'ec2-093': 'no IAM, no KMS',
  'ec2-094': 'no IAM',
  'ec2-112': 'what a guest sees of its block devices',
  'ec2-114': 'no CreateImage',
  'ec2-120': 'no instance metadata',
};
