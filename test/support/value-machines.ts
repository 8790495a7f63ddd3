import { DirectEngine } from '../../core/apply/direct-engine';
import { applyManifest } from '../../core/apply/apply-manifest';
import type { CaptureRequest } from '../../core/capture/capture';
import { readIdentityValues } from '../../core/image/read-identity-values';
import { codecFor } from '../../core/records/registry';
import { MemoryFilesystem } from './memory-filesystem';
import { MemoryImage } from './memory-image';
import { type CapturedUpdate, captureUpdate } from './pipeline';

/** What one machine has of its own. */
export interface OwnValues {
  readonly host: string;
  readonly domain?: string;
  readonly machineId: string;
  readonly uuid: string;
  readonly address?: string;
}

/** A machine in memory that tells its values as a real one does. */
export async function machineOf(
  own: OwnValues,
  files: Readonly<Record<string, string>> = {},
): Promise<MemoryFilesystem> {
  const { host, domain, machineId, uuid, address } = own;
  const filesystem = new MemoryFilesystem({ uuid });
  await filesystem.put('/etc/hostname', `${host}\n`);
  await filesystem.put('/etc/machine-id', `${machineId}\n`);
  const named = domain === undefined ? host : `${host}.${domain} ${host}`;
  await filesystem.put('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${named}\n`);
  if (address !== undefined)
    await filesystem.put('/etc/network/interfaces', `iface eth0 inet static\n  address ${address}/24\n`);
  await filesystem.put('/var/lib/app/state', 'idle\n');
  for (const [path, content] of Object.entries(files)) await filesystem.put(path, content);
  return filesystem;
}

export async function imageOf(filesystem: MemoryFilesystem): Promise<MemoryImage> {
  const identity = await readIdentityValues(filesystem, {
    filesystemUuids: [filesystem.uuid],
    filesystemLabels: [],
    diskUuids: [],
    partUuids: [],
  });
  return new MemoryImage(filesystem, { identity });
}

export type MemoryUpdate = (filesystem: MemoryFilesystem, own: OwnValues) => Promise<void>;

export interface RunOnline {
  readonly before: MemoryImage;
  readonly after: MemoryImage;
}

/** Runs an update on a copy of a machine. */
export async function online(
  machine: MemoryFilesystem,
  own: OwnValues,
  update: MemoryUpdate,
): Promise<RunOnline> {
  const after = machine.clone();
  await update(after, own);
  return { before: await imageOf(machine), after: await imageOf(after) };
}

export function captureOf(
  representative: RunOnline,
  witness: RunOnline | undefined,
  request: Partial<CaptureRequest> = {},
): Promise<CapturedUpdate> {
  const { before, after } = representative;
  return captureUpdate(before, after, { codecFor, ...(witness && { witness }), ...request });
}

/** The machine as the manifest leaves it. @throws ManifestMismatchError */
export async function offline(
  machine: MemoryFilesystem,
  { manifest, packs }: CapturedUpdate,
): Promise<MemoryImage> {
  const image = await imageOf(machine.clone());
  await applyManifest({ manifest, image, packs, engine: new DirectEngine() });
  return image;
}
