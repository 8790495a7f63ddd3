import type { FaultingCache } from '../../../block-device/faulting-cache';
import type { Superblock } from '../superblock';
import type { WriteSession } from './write-session';

export async function checkVolume(
  _cache: FaultingCache,
  _superblock: Superblock,
  _session: WriteSession,
): Promise<readonly string[]> {
  return [];
}
