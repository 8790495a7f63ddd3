import { mustRun } from '../instances/run-program';
import { logicalVolumesOf } from './logical-volumes';
import { partsOf, type DiskPart } from './partitions';
import type { DiskRange } from './run-on-loop';

/** A disk as a machine has it. */
export interface AttachedDisk {
  readonly file: string;
  /** Where EC2 attached it, such as /dev/sdf. */
  readonly device: string;
}

/** A filesystem of a machine, with every name that its fstab may call it by. */
export interface DiskFilesystem extends DiskRange {
  readonly kind: DiskPart['kind'];
  /** UUID=, LABEL=, PARTUUID= and device names. */
  readonly names: readonly string[];
}

/** Every filesystem on the disks: bare, in partitions, in logical volumes. */
export async function filesystemsOf(disks: readonly AttachedDisk[]): Promise<DiskFilesystem[]> {
  const found: DiskFilesystem[] = [];
  for (const { file, device } of disks) {
    for (const { kind, partUuid, number, ...place } of await partsOf(file)) {
      const range = { file, offsetBytes: place.offsetBytes, sizeBytes: place.sizeBytes };
      if (kind === 'unknown') continue;
      if (kind === 'lvm2') found.push(...(await inGroup(range)));
      else
        found.push({
          ...range,
          kind,
          names: [
            ...(await tagsOf(range)),
            ...(partUuid === undefined ? [] : [`PARTUUID=${partUuid}`]),
            number === undefined ? device : `${device}${number}`,
          ],
        });
    }
  }
  return found;
}

async function inGroup(physicalVolume: DiskRange): Promise<DiskFilesystem[]> {
  const volumes = await logicalVolumesOf(physicalVolume);
  return Promise.all(
    volumes.map(async ({ group, name, ...range }) => {
      const tags = await tagsOf(range);
      const kind = tags.find((tag) => tag.startsWith('TYPE='))?.slice('TYPE='.length) as
        DiskPart['kind'] | undefined;
      return {
        ...range,
        kind: kind ?? 'unknown',
        names: [...tags, mapperName(group, name), `/dev/${group}/${name}`],
      };
    }),
  );
}

/** Device-mapper doubles the hyphens within a name. */
export function mapperName(group: string, volume: string): string {
  return `/dev/mapper/${[group, volume].map((name) => name.replaceAll('-', '--')).join('-')}`;
}

async function tagsOf({ file, offsetBytes, sizeBytes }: DiskRange): Promise<string[]> {
  const where = ['--offset', String(offsetBytes), '--size', String(sizeBytes)];
  const text = await mustRun('blkid', ['--probe', '--output', 'export', ...where, file]);
  return text
    .split('\n')
    .filter((line) => /^(UUID|LABEL|TYPE)=/.test(line))
    .map((line) => line.replaceAll('\\', ''));
}
