import { BlockWindow } from '../block-device/block-window';
import { ImageElvesError } from '../errors';
import { UnsupportedFeatureError } from '../filesystem/errors';
import { readPhysicalVolume } from '../lvm/physical-volume';
import {
  type LogicalVolume,
  parseVolumeGroup,
  type PresentVolume,
  type VolumeGroup,
} from '../lvm/volume-group';
import { detectFilesystem } from '../partition/detect-filesystem';
import { readFilesystemTags } from './filesystem-tags';
import type { VolumeFilesystem } from './volume-filesystem';

/** A physical volume of LVM among the partitions and bare volumes of an instance. */
interface Member extends PresentVolume {
  readonly source: VolumeFilesystem;
  readonly metadataText: string | undefined;
}

/**
 * Adds what the logical volumes hold that stand on these. The physical volumes stay in the list for their names, each
 * with the reason when it could not be made use of.
 */
export async function withLogicalVolumes(
  filesystems: readonly VolumeFilesystem[],
): Promise<VolumeFilesystem[]> {
  const members: Member[] = [];
  const others: VolumeFilesystem[] = [];
  for (const source of filesystems) {
    const found = source.kind === 'lvm2' ? await orError(() => readPhysicalVolume(source.device)) : undefined;
    if (found instanceof ImageElvesError) others.push({ ...source, refusal: found });
    else if (found === undefined) others.push(source);
    else members.push({ ...found, source: { ...source, uuid: found.uuid }, device: source.device });
  }
  if (members.length === 0) return others;
  const groups = await readGroups(members);
  const physical = members.map(({ source, uuid }): VolumeFilesystem => {
    const refusal = isTwice(members, uuid) ? copied(uuid) : groups.refusals.get(uuid);
    return refusal === undefined ? { ...source, isAssembled: true } : { ...source, refusal };
  });
  const logical: VolumeFilesystem[] = [];
  for (const group of groups.read) {
    const isNamesake = groups.read.some((other) => other !== group && other.name === group.name);
    for (const volume of group.logicalVolumes) {
      const refusal = isNamesake ? namesake(group) : volume.refusal;
      logical.push(await probe(group, { ...volume, refusal }, members));
    }
  }
  return [...others, ...physical, ...logical];
}

interface ReadGroups {
  readonly read: readonly VolumeGroup[];
  /** By the UUID of a physical volume: why its group could not be read. */
  readonly refusals: ReadonlyMap<string, ImageElvesError>;
}

/** Each physical volume has a copy of its group's metadata, or none; those that were away may have an old one. */
async function readGroups(members: readonly Member[]): Promise<ReadGroups> {
  const present = new Map(
    members.filter(({ uuid }) => !isTwice(members, uuid)).map((member) => [member.uuid, member]),
  );
  const newest = new Map<string, VolumeGroup>();
  const problems = new Map<string, ImageElvesError>();
  for (const text of new Set(members.map(({ metadataText }) => metadataText))) {
    if (text === undefined) continue;
    const group = await orError(async () => parseVolumeGroup(text, present));
    if (group instanceof ImageElvesError) {
      for (const { uuid, metadataText } of members) if (metadataText === text) problems.set(uuid, group);
    } else if (group.sequence >= (newest.get(group.uuid)?.sequence ?? 0)) newest.set(group.uuid, group);
  }
  const read = [...newest.values()];
  const known = new Set(read.flatMap(({ physicalVolumes }) => physicalVolumes));
  const unknown = members.filter(({ uuid }) => !known.has(uuid));
  return {
    read,
    refusals: new Map(unknown.map(({ uuid }) => [uuid, problems.get(uuid) ?? withoutGroup(uuid)])),
  };
}

async function probe(
  group: VolumeGroup,
  { name, device, refusal, physicalVolumes, offsetBytes }: LogicalVolume,
  members: readonly Member[],
): Promise<VolumeFilesystem> {
  const sources = physicalVolumes.flatMap(
    ({ uuid }) => members.find((member) => member.uuid === uuid)!.source,
  );
  const first = sources[0] ?? members[0]!.source;
  const facts = {
    volumeId: first.volumeId,
    volumeIds: [...new Set(sources.map(({ volumeId }) => volumeId))],
    deviceName: first.deviceName,
    onRootVolume: (sources.length > 0 ? sources : [first]).some(({ onRootVolume }) => onRootVolume),
    partition: undefined,
    partUuid: undefined,
    partLabel: undefined,
    logicalVolume: `${group.name}/${name}`,
    deviceLinks: linksOf(group.name, name),
  };
  if (device === undefined || refusal !== undefined)
    return { ...facts, kind: 'lvm2', uuid: undefined, label: undefined, device: first.device, refusal };
  const kind = await detectFilesystem(device);
  const tags = await readFilesystemTags(device, kind);
  const start = first.device instanceof BlockWindow ? first.device.offsetBytes : 0;
  const place = offsetBytes === undefined ? {} : { offsetBytes: start + offsetBytes };
  return { ...facts, kind, ...tags, device, ...place };
}

/** In the device-mapper's names a hyphen within a name is doubled, for one stands between the two. */
function linksOf(group: string, name: string): string[] {
  const mapped = `${group.replaceAll('-', '--')}-${name.replaceAll('-', '--')}`;
  return [`/dev/${group}/${name}`, `/dev/mapper/${mapped}`, `/dev/disk/by-id/dm-name-${mapped}`];
}

function isTwice(members: readonly Member[], uuid: string): boolean {
  return members.filter((member) => member.uuid === uuid).length > 1;
}

function copied(uuid: string): ImageElvesError {
  return new UnsupportedFeatureError([`two copies of the LVM physical volume ${uuid}`], 'read');
}

function withoutGroup(uuid: string): ImageElvesError {
  return new UnsupportedFeatureError([`LVM physical volume ${uuid} without metadata of its group`], 'read');
}

function namesake({ name }: VolumeGroup): ImageElvesError {
  return new UnsupportedFeatureError([`two LVM volume groups of the name ${name}`], 'read');
}

async function orError<T>(action: () => Promise<T>): Promise<T | ImageElvesError> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof ImageElvesError) return error;
    throw error;
  }
}
