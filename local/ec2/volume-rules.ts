import { AwsError } from '../wire';
import { invalidCombination, invalidParameterValue } from './ec2-errors';

interface TypeRules {
  minGiB: number;
  maxGiB: number;
  /** Iops when none are asked for; undefined when the type has none. */
  iops?: (sizeGiB: number) => number;
  iopsSettable?: { max: number; maxPerGiB: number };
  throughput?: { default: number; max: number; maxPerIops: number };
}

/** EBS User Guide, "Amazon EBS volume types"; the limits as the API enforced them in recorded calls. */
const TYPES: Readonly<Record<string, TypeRules>> = {
  gp3: {
    minGiB: 1,
    maxGiB: 65_536,
    iops: () => 3000,
    iopsSettable: { max: 80_000, maxPerGiB: 500 },
    throughput: { default: 125, max: 2000, maxPerIops: 0.25 },
  },
  gp2: { minGiB: 1, maxGiB: 16_384, iops: (sizeGiB) => Math.min(Math.max(sizeGiB * 3, 100), 16_000) },
  io1: { minGiB: 4, maxGiB: 16_384, iopsSettable: { max: 64_000, maxPerGiB: 50 } },
  io2: { minGiB: 4, maxGiB: 65_536, iopsSettable: { max: 256_000, maxPerGiB: 1000 } },
  st1: { minGiB: 125, maxGiB: 16_384 },
  sc1: { minGiB: 125, maxGiB: 16_384 },
  standard: { minGiB: 1, maxGiB: 1024 },
};

export interface Performance {
  volumeType: string;
  sizeGiB: number;
  iops?: number;
  throughput?: number;
}

/** The type by its name in any case; none means gp2. */
export function volumeTypeOf(name: string | undefined): string {
  const volumeType = name === undefined || name === '' ? 'gp2' : name.toLowerCase();
  if (!(volumeType in TYPES))
    throw new AwsError('UnknownVolumeType', `Unsupported volume type '${name}' for volume creation. `);
  return volumeType;
}

/**
 * What a volume of this type gets, with the type's defaults filled in.
 * @throws AwsError when the type does not allow it.
 */
export function performanceOf(asked: Performance): Performance {
  const { volumeType, sizeGiB, iops, throughput } = asked;
  const rules = TYPES[volumeType];
  if (!rules)
    throw new AwsError('UnknownVolumeType', `Unsupported volume type '${volumeType}' for volume creation. `);
  if (sizeGiB < 0)
    throw invalidParameterValue(
      `Value (${sizeGiB}) for parameter size is invalid. Value must be a positive integer.`,
    );
  if (sizeGiB < rules.minGiB)
    throw invalidParameterValue(
      `The volume size is invalid for ${volumeType} volumes: ${sizeGiB} GiB. ${volumeType} volumes must be at least ` +
        `${rules.minGiB} GiB in size. Please specify a volume size above the minimum limit.`,
    );
  if (sizeGiB > rules.maxGiB)
    throw invalidParameterValue(
      `Volume of ${sizeGiB}GiB is too large for volume type ${volumeType}; maximum is ${rules.maxGiB}GiB`,
    );
  return { ...asked, iops: iopsOf(asked, rules), throughput: throughputOf(asked, rules) };

  function iopsOf({ iops: askedIops }: Performance, { iopsSettable, iops: defaultIops }: TypeRules) {
    if (askedIops === undefined) return defaultIops?.(sizeGiB);
    if (!iopsSettable)
      throw invalidCombination(`The parameter iops is not supported for ${volumeType} volumes.`);
    if (askedIops > iopsSettable.max)
      throw invalidParameterValue(`Volume iops of ${askedIops} is too high; maximum is ${iopsSettable.max}.`);
    // gp3's 3000 are free of the ratio, but only as the default or above it.
    const ratio = askedIops / sizeGiB;
    if (ratio > iopsSettable.maxPerGiB && askedIops !== defaultIops?.(sizeGiB))
      throw invalidParameterValue(
        `Iops to volume size ratio of ${ratio.toFixed(6)} is too high; maximum is ${iopsSettable.maxPerGiB}`,
      );
    return askedIops;
  }

  function throughputOf(_asked: Performance, { throughput: limits }: TypeRules) {
    if (throughput === undefined) return limits?.default;
    if (!limits)
      throw invalidCombination(`The throughput parameter is not supported for ${volumeType} volumes.`);
    if (throughput > limits.max)
      throw invalidParameterValue(
        `Volume throughput of ${throughput} is too high; maximum is ${limits.max}.`,
      );
    const ratio = throughput / (iops ?? rules?.iops?.(sizeGiB) ?? 1);
    if (ratio > limits.maxPerIops)
      throw invalidParameterValue(
        `Throughput (MiBps) to iops ratio of ${ratio.toFixed(6)} is too high; maximum is ` +
          `${limits.maxPerIops.toFixed(6)} MiBps per iops`,
      );
    return throughput;
  }
}
