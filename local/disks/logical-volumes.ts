import { runOnLoop, type DiskRange } from './run-on-loop';

/** A logical volume that lies in one piece on its physical volume: it can be mounted without device-mapper. */
export interface LogicalVolume extends DiskRange {
  readonly group: string;
  readonly name: string;
}

/** Raised when a logical volume has more than one piece, or is more than a piece. */
export class ScatteredVolumeError extends Error {
  override readonly name = 'ScatteredVolumeError';
}

/**
 * lvm2 sees the one loop device and nothing of the host, asks neither device-mapper nor udev, and keeps no files. The
 * shell holds the device open on a descriptor of its own.
 */
const LVM = `
  export LVM_SUPPRESS_FD_WARNINGS=1
  settings="devices{use_devicesfile=0 filter=[\\"a|^$device\\$|\\",\\"r|.*|\\"]} global{event_activation=0}
    backup{backup=0 archive=0} activation{udev_sync=0 udev_rules=0}"
  lvm() { command lvm "$@" --driverloaded n --config "$settings"; }`;

/** The host must not activate what it sees for a moment; who boots from the group activates it by name. */
const MAKE = `${LVM}
  group=$1; shift
  { lvm pvcreate --yes "$device"; lvm vgcreate --setautoactivation n "$group" "$device"; } >/dev/null
  for volume; do
    lvm lvcreate --activate n --zero n --wipesignatures n --name "\${volume%%:*}" "\${volume#*:}" "$group" >/dev/null
  done`;

const LIST = `${LVM}
  report() { lvm "$@" --readonly --reportformat json --units b --nosuffix; }
  report lvs --nolocking --segments -o vg_name,lv_name,segtype,seg_start,seg_size,seg_pe_ranges,vg_extent_size
  printf '\\0'
  report pvs -o pe_start`;

/** Makes a range of a disk a physical volume, and on it a group with its volumes, of these sizes in extents of 4 MiB. */
export async function makeVolumeGroup(
  range: DiskRange,
  group: string,
  volumes: readonly { readonly name: string; readonly extents: string }[],
): Promise<void> {
  await runOnLoop(range, MAKE, [
    group,
    ...volumes.map(({ name, extents }) => `${name}:--extents=${extents}`),
  ]);
}

interface Segment {
  readonly vg_name: string;
  readonly lv_name: string;
  readonly segtype: string;
  readonly seg_start: string;
  readonly seg_size: string;
  /** `device:first-last`, in extents. */
  readonly seg_pe_ranges: string;
  readonly vg_extent_size: string;
}

/**
 * The logical volumes of one physical volume, as lvm2 finds them.
 * @throws ScatteredVolumeError
 */
export async function logicalVolumesOf(range: DiskRange): Promise<LogicalVolume[]> {
  const [segments = '', volumes = ''] = (await runOnLoop(range, LIST)).split('\0');
  const rows = rowsOf<Segment>(segments, 'seg');
  const start = Number(rowsOf<{ pe_start: string }>(volumes, 'pv')[0]?.pe_start);
  return rows.map((row) => {
    const { vg_name: group, lv_name: name } = row;
    const first = /^[^: ]+:(\d+)-\d+$/.exec(row.seg_pe_ranges)?.[1];
    if (
      row.segtype !== 'linear' ||
      Number(row.seg_start) !== 0 ||
      first === undefined ||
      !Number.isFinite(start)
    )
      throw new ScatteredVolumeError(
        `${group}/${name} is not in one piece: it cannot be mounted without device-mapper.`,
      );
    const offset = start + Number(first) * Number(row.vg_extent_size);
    return {
      group,
      name,
      file: range.file,
      offsetBytes: range.offsetBytes + offset,
      sizeBytes: Number(row.seg_size),
    };
  });
}

function rowsOf<T>(json: string, kind: string): T[] {
  const { report } = JSON.parse(json) as { report: readonly Readonly<Record<string, T[]>>[] };
  return report.flatMap((part) => part[kind] ?? []);
}
