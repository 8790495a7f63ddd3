import { EBS_READING_CASES } from './ebs-reading-cases';
import { EBS_WRITING_CASES } from './ebs-writing-cases';
import type { Cases } from './expectations';

export const EBS_CASES: Cases = { ...EBS_WRITING_CASES, ...EBS_READING_CASES };

/** Vectors of served operations that the embedded cloud does not hold, and why. */
export const EBS_NOT_HELD: Readonly<Record<string, string>> = {
  'ebs-025': 'members of XML answers come in the order of the SDK’s schema; no client depends on it',
  'ebs-114': 'a deleted snapshot is gone at once; on AWS its blocks can be read for some seconds more',
};

/** Vectors about what the embedded cloud does not serve. */
export const EBS_NOT_SERVED: Readonly<Record<string, string>> = {
  'ebs-030': 'one Region',
  'ebs-118': 'one account: no sharing',
  'ebs-119': 'one account: no sharing',
  'ebs-120': 'one account: no sharing',
  'ebs-122': 'no CloudTrail',
  'ebs-123': 'no CloudTrail',
};
