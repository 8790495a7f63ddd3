/** The one account and Region of the embedded cloud. */
export const ACCOUNT_ID = '000000000000';
export const REGION = 'us-east-1';
export const AVAILABILITY_ZONES: Readonly<Record<string, string>> = {
  'us-east-1a': 'use1-az1',
  'us-east-1b': 'use1-az2',
};
export const DEFAULT_AVAILABILITY_ZONE = 'us-east-1a';
/** The key that stands for `alias/aws/ebs`. */
export const DEFAULT_EBS_KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/00000000-0000-4000-8000-000000000000`;
