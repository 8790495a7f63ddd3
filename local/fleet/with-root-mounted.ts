import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mountMachine, unmountMachine } from '../disks/mount-machine';

/** Mounts a machine of one disk as its fstab says, for as long as `use` runs. */
export async function withRootMounted<T>(diskFile: string, use: (root: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(path.join(tmpdir(), 'fleet-root-'));
  try {
    await mountMachine([{ file: diskFile, device: '/dev/xvda' }], root);
    try {
      return await use(root);
    } finally {
      await unmountMachine(root);
    }
  } finally {
    await rmdir(root);
  }
}
