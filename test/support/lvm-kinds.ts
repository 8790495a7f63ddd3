import { UUIDS } from './volume-group';

let number = 0;
/** One logical volume of a group's metadata. @param segment what its only segment says besides its length */
function volume(
  name: string,
  extents: number,
  segment: string,
  status = '"READ", "WRITE", "VISIBLE"',
): string {
  number += 1;
  return `${name} {
    id = "llllll-0000-0000-0000-0000-0000-${String(number).padStart(6, '0')}"
    status = [${status}]
    flags = []
    segment_count = 1
    segment1 { start_extent = 0 extent_count = ${extents} ${segment} }
  }`;
}

const HIDDEN = '"READ", "WRITE"';
const linear = (name: string, first: number, extents: number, status?: string): string =>
  volume(name, extents, `type = "striped" stripe_count = 1 stripes = [ "pv0", ${first} ]`, status);

/**
 * The metadata of a group with a volume of every kind that only the device-mapper puts together, as vgcfgbackup(8)
 * writes it. vgcfgrestore(8) takes it: it is well-formed to LVM.
 */
export const GROUP_OF_KINDS = `contents = "Text Format Volume Group"
version = 1
description = "every kind"
creation_host = "host"
creation_time = 1795166938

vg {
  id = "vvvvvv-0000-0000-0000-0000-0000-000000"
  seqno = 14
  format = "lvm2"			# informational
  status = ["RESIZEABLE", "READ", "WRITE"]
  flags = []
  extent_size = 2048		# 1024 Kilobytes
  max_lv = 0
  max_pv = 0
  metadata_copies = 0
  physical_volumes {
    pv0 {
      id = "${UUIDS[0]}"
      device = "/dev/loop2"	# Hint only
      status = ["ALLOCATABLE"]
      flags = []
      dev_size = 196608
      pe_start = 2048
      pe_count = 95
    }
  }
  logical_volumes {
    ${linear('plain', 70, 2)}
    ${linear('root', 0, 20)}
    ${linear('snap', 20, 20)}
    ${volume('snapshot0', 20, 'type = "snapshot" chunk_size = 8 origin = "root" cow_store = "snap"')}
    ${volume('mir', 2, 'type = "raid1" device_count = 2 region_size = 1024 raids = [ "mir_rmeta_0", "mir_rimage_0", "mir_rmeta_1", "mir_rimage_1" ]')}
    ${linear('mir_rmeta_0', 40, 1, HIDDEN)}
    ${linear('mir_rimage_0', 41, 2, HIDDEN)}
    ${linear('mir_rmeta_1', 43, 1, HIDDEN)}
    ${linear('mir_rimage_1', 44, 2, HIDDEN)}
    ${volume('pool', 4, 'type = "thin-pool" metadata = "pool_tmeta" pool = "pool_tdata" transaction_id = 1 chunk_size = 128 discards = "passdown" zero_new_blocks = 1')}
    ${linear('pool_tdata', 50, 4, HIDDEN)}
    ${linear('pool_tmeta', 54, 4, HIDDEN)}
    ${volume('thin', 4, 'type = "thin" thin_pool = "pool" transaction_id = 0 device_id = 1')}
    ${volume('fast', 4, 'type = "cache" cache_pool = "cpool" origin = "fast_corig"')}
    ${linear('fast_corig', 58, 4, HIDDEN)}
    ${volume('cpool', 4, 'type = "cache-pool" data = "cpool_cdata" metadata = "cpool_cmeta" metadata_format = 2 chunk_size = 128 cache_mode = "writethrough" policy = "smq"', HIDDEN)}
    ${linear('cpool_cdata', 62, 4, HIDDEN)}
    ${linear('cpool_cmeta', 66, 4, HIDDEN)}
    ${volume('old', 2, 'type = "mirror" mirror_count = 2 region_size = 1024 mirrors = [ "old_mimage_0", 0, "old_mimage_1", 0 ]')}
    ${linear('old_mimage_0', 72, 2, '"READ", "WRITE"')}
    ${linear('old_mimage_1', 74, 2, '"READ", "WRITE"')}
  }
}
`;

/** Why each volume of the group is refused. */
export const REFUSED_KINDS: Readonly<Record<string, string>> = {
  root: 'LVM logical volume with snapshots vg/root',
  snap: 'LVM snapshot logical volume vg/snap',
  mir: 'LVM raid1 logical volume vg/mir',
  pool: 'LVM thin pool logical volume vg/pool',
  thin: 'LVM thin logical volume vg/thin',
  fast: 'LVM cached logical volume vg/fast',
  old: 'LVM mirror logical volume vg/old',
};
