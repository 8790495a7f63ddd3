import { PARSER_TARGETS } from './parser-targets';
import { machineTarget, readerTarget } from './reader-target';
import type { Target } from './target';
import { type Judge, writerTarget } from './writer-target';

const EXT4 = ['ext4', 'ext4-plain', 'ext4-inline', 'ext4-bigalloc', 'ext3', 'ext4-cut', 'ext4-cut-sums'];
const XFS = ['xfs', 'xfs-small-blocks', 'xfs-4'];
const FAT = ['fat-12', 'fat-16', 'fat-32'];
const WRITTEN = ['ext4', 'ext4-plain', 'ext4-inline', 'ext3'];

/** Everything that takes bytes of strangers. @param judge of what the direct writer leaves */
export function allTargets(judge?: Judge): readonly Target[] {
  return [
    ...EXT4.map((name) => readerTarget(name, 'ext4')),
    ...XFS.map((name) => readerTarget(name, 'xfs')),
    ...FAT.map((name) => readerTarget(name, 'vfat')),
    machineTarget(['disk-gpt', 'disk-mbr', 'disk-pv-1', 'disk-pv-2']),
    ...WRITTEN.map((name) => writerTarget(name, judge)),
    // Without a judge: e2fsck looks at what is on the disk, and here the truth is in the journal.
    writerTarget('ext4-cut'),
    ...PARSER_TARGETS,
  ];
}
