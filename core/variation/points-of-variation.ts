import { readText } from '../image/follow-links';
import type { Image } from '../image/image';
import { networkPoints } from './network-points';
import { originalPoints } from './original-values';
import { uuidForms } from './value-forms';

/**
 * A value by which one machine differs from its twins, in one way of writing it. The name says what it is on any machine
 * (`filesystem-uuid:/boot`), so that one machine's value can stand where another's stood.
 */
export interface PointOfVariation {
  readonly name: string;
  /** As it stands in files, one character a byte. */
  readonly value: string;
  /** For people: `host name`. */
  readonly label: string;
  /**
   * `sure`: long and random, or an address given once: wherever it stands, it is this machine's own. `word`: may stand
   * somewhere by chance, so that only a second machine, which has its own there, proves it.
   */
  readonly strength: 'sure' | 'word';
  /** Whether it is looked for in what packages bring as well. */
  readonly where: 'anywhere' | 'configuration';
  /** Whether it is looked for between other letters and digits too: bytes, not text. */
  readonly isBinary?: boolean;
  /** Of a clone: the value of the machine that it was made of. */
  readonly isOriginal?: true;
}

/** A value shorter than this is never taken for a machine's own without a second machine. */
const MIN_SURE_LENGTH = 12;

/** Every value of a machine that its image tells, the longest first. Equal machines give equal names in equal order. */
export async function pointsOfVariation(image: Image): Promise<PointOfVariation[]> {
  const { identity } = image;
  const points: PointOfVariation[] = [
    ...hostPoints(identity.hostname, identity.fqdn),
    ...uuidForms('machine-id', 'machine-id', identity.machineId),
    ...filesystemPoints(image),
    ...(await swapPoints(image)),
    ...(await networkPoints(image)),
    ...(await hostKeyPoints(image)),
  ];
  if (identity.diskUuids.length === 1)
    points.push(...uuidForms('disk-uuid', 'disk UUID', identity.diskUuids[0]));
  const { cloudInstanceId } = identity;
  if (cloudInstanceId !== undefined) {
    const strength = cloudInstanceId.length >= MIN_SURE_LENGTH ? 'sure' : 'word';
    const label = 'instance id';
    points.push({ name: 'instance-id', value: cloudInstanceId, label, strength, where: 'anywhere' });
  }
  points.push(...(await originalPoints(image, points)));
  return points.sort((a, b) => b.value.length - a.value.length || (a.name < b.name ? -1 : 1));
}

/** Made up for a clone: no word. */
const CLONE_NAME = /^imageelves-clone-/;

/** Without a domain the host name is the full name as well: that is what `hostname -f` says then. */
function hostPoints(hostname: string | undefined, fqdn: string | undefined): PointOfVariation[] {
  const full = fqdn ?? hostname;
  const short = hostname?.split('.')[0];
  const point = (name: string, value: string, label: string): PointOfVariation => {
    // The name of a machine may be written in others' settings, or in its own for what it is to all: a mail server's.
    const strength = CLONE_NAME.test(value) ? 'sure' : 'word';
    return { name, value, label, strength, where: 'configuration' };
  };
  const points: PointOfVariation[] = [];
  if (short) points.push(point('host-name', short, 'host name'));
  // hostname(1) alone says what /etc/hostname says, with a domain or without; with -s the first part.
  if (hostname) points.push(point('node-name', hostname, 'host name'));
  if (!full) return points;
  points.push(point('fqdn', full, 'host name'));
  const dot = full.indexOf('.');
  if (dot > 0 && dot < full.length - 1) points.push(point('domain', full.slice(dot + 1), 'domain'));
  return points;
}

function filesystemPoints(image: Image): PointOfVariation[] {
  return image.mounts.flatMap(({ mountPoint, filesystem, partUuid }) => [
    ...uuidForms(`filesystem-uuid:${mountPoint}`, `filesystem UUID of ${mountPoint}`, filesystem.uuid),
    ...uuidForms(`partition-uuid:${mountPoint}`, `partition UUID of ${mountPoint}`, partUuid),
  ]);
}

/** fstab(5); the UUID of the swap space stands in the configuration of initramfs-tools and of boot loaders. */
async function swapPoints(image: Image): Promise<PointOfVariation[]> {
  const lines = ((await readText(image, '/etc/fstab')) ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const swaps = lines.filter(([source, , kind]) => kind === 'swap' && source?.startsWith('UUID=') === true);
  return swaps.length === 1
    ? uuidForms('filesystem-uuid:swap', 'UUID of the swap space', swaps[0]![0]!.slice('UUID='.length))
    : [];
}

/** Public keys only: they stand in lists of known hosts. What is private is never read. */
async function hostKeyPoints(image: Image): Promise<PointOfVariation[]> {
  const points: PointOfVariation[] = [];
  for (const path of Object.keys(image.identity.sshHostKeys)) {
    const value = (await readText(image, path))?.trim().split(/\s+/)[1];
    if (value === undefined || value.length < 40) continue;
    points.push({
      name: `ssh-host-key:${path}`,
      value,
      label: 'SSH host key',
      strength: 'sure',
      where: 'anywhere',
    });
  }
  return points;
}
