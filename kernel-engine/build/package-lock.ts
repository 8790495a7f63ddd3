import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One Debian package, pinned. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

/** What the guest is built from, and what comes out of it. */
export interface PackagesLock {
  readonly suite: string;
  readonly packages: readonly LockedPackage[];
  /** SHA-256 of each file that a build of exactly these packages yields. */
  readonly digests: Readonly<Record<string, string>>;
}

export type LockName = 'packages.lock.json' | 'qemu.lock.json';

export async function readLock(
  sources: string,
  name: LockName = 'packages.lock.json',
): Promise<PackagesLock> {
  return JSON.parse(await readFile(join(sources, name), 'utf8')) as PackagesLock;
}

export async function writeLock(
  sources: string,
  lock: PackagesLock,
  name: LockName = 'packages.lock.json',
): Promise<void> {
  await writeFile(join(sources, name), `${JSON.stringify(lock, null, 2)}\n`);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
