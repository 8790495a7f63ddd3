import type { ResolvedOperation } from '../apply/apply-engine';
import { ImageElvesError } from '../errors';
import type { Metadata } from '../filesystem/filesystem';
import { readText } from '../image/follow-links';
import type { Image } from '../image/image';
import { parentOf } from '../manifest/image-path';
import { ORIGINAL_VALUES_PATH, originalValuesText } from '../variation/original-values';
import { pointsOfVariation } from '../variation/points-of-variation';
import {
  AGENT_UNITS,
  CLONE_TARGET,
  cloneTarget,
  MASKED_UNITS,
  NETWORK_UNITS,
  SYSTEM_SOCKETS,
} from './clone-units';

/** One change to the copy, and the reason that the report gives. */
export interface CloneChange {
  readonly operation: ResolvedOperation;
  readonly why: string;
}

/** The image cannot be changed so that its clone is sure to do nothing of its original's work. */
export class CloneNotIsolatableError extends ImageElvesError {
  override readonly name = 'CloneNotIsolatableError';

  constructor(problem: string) {
    super(
      `The image cannot run as an isolated clone: ${problem}.`,
      { problem },
      'Start one machine of the class, so that it can be the representative.',
    );
  }
}

const SYSTEM_UNITS = '/etc/systemd/system';
const DEV_NULL = '/dev/null';

/**
 * What to change on the copy of a stopped machine before it runs, so that it does none of its original's work: it boots
 * into a target with the network and the agent only, under another identity. Settings are added in /etc, where they come
 * before those of packages, and nothing that a package owns is changed.
 *
 * @param hostname of the clone
 * @param mtimeNs time of change of all that is written
 * @throws CloneNotIsolatableError
 */
export async function isolateClone(
  image: Image,
  { hostname, mtimeNs }: { readonly hostname: string; readonly mtimeNs: bigint },
): Promise<CloneChange[]> {
  if (await isMissing(image, SYSTEM_UNITS)) {
    throw new CloneNotIsolatableError(`it has no ${SYSTEM_UNITS}, so it is not booted by systemd`);
  }
  const enabled = await enabledUnits(image);
  const wanted = [...NETWORK_UNITS, ...AGENT_UNITS].filter((unit) => enabled.has(unit));
  if (!wanted.some((unit) => unit.includes('amazon-ssm-agent'))) {
    // It may be started by other means (a generator, or from outside); the target leaves that to them.
    wanted.push('amazon-ssm-agent.service');
  }
  const file = (path: string, text: string, mode: number, why: string): CloneChange => ({
    operation: {
      kind: 'put-file',
      path,
      content: new TextEncoder().encode(text),
      metadata: metadata(mode, mtimeNs),
    },
    why,
  });
  // Updates read these: but for the values of the clone they are as the original's.
  const rewritten = async (path: string, text: string, why: string): Promise<CloneChange> => ({
    operation: {
      kind: 'put-file',
      path,
      content: new TextEncoder().encode(text),
      metadata: { ...(await metadataOf(image, path)), mtimeNs },
    },
    why,
  });
  const link = (path: string, target: string, why: string): CloneChange => ({
    operation: { kind: 'make-symlink', path, target, metadata: metadata(0o777, mtimeNs) },
    why,
  });
  const changes = [
    file(
      `${SYSTEM_UNITS}/${CLONE_TARGET}`,
      cloneTarget(wanted),
      0o644,
      'the only target that the clone boots into',
    ),
    link(`${SYSTEM_UNITS}/default.target`, CLONE_TARGET, 'no service of the original starts at boot'),
    await rewritten(
      '/etc/hostname',
      `${hostname}\n`,
      'the clone must not speak under the name of its original',
    ),
    await rewritten('/etc/machine-id', '', 'systemd makes a new machine-id for the clone'),
    // Exit code 101: "action forbidden by policy" (invoke-rc.d(8)).
    file(
      '/usr/sbin/policy-rc.d',
      '#!/bin/sh\nexit 101\n',
      0o755,
      'package scripts start no service on the clone',
    ),
  ];
  for (const { unit, why } of MASKED_UNITS) changes.push(link(`${SYSTEM_UNITS}/${unit}`, DEV_NULL, why));
  for (const socket of [...enabled].filter(
    (unit) => unit.endsWith('.socket') && !SYSTEM_SOCKETS.test(unit),
  )) {
    changes.push(link(`${SYSTEM_UNITS}/${socket}`, DEV_NULL, 'a connection would start a service'));
  }
  const hosts = await renamedHosts(image, hostname);
  if (hosts !== undefined)
    changes.push(
      await rewritten('/etc/hosts', hosts, 'the clone finds itself under its own name, as its original did'),
    );
  const values = originalValuesText(await pointsOfVariation(image));
  changes.push(
    file(ORIGINAL_VALUES_PATH, values, 0o600, 'the names of the original still stand in its files'),
  );
  const folder = parentOf(ORIGINAL_VALUES_PATH);
  if (await isMissing(image, folder)) {
    const operation = { kind: 'make-directory', path: folder, metadata: metadata(0o755, mtimeNs) } as const;
    changes.push({ operation, why: 'for what ImageElves writes on the clone' });
  }
  return [...changes, ...(await newIdentity(image, mtimeNs))].sort(byPath);
}

/**
 * hosts(5) with the clone's name where the original's stood, the domain kept: without it `hostname -f` fails on the clone,
 * and an update that asks would do something else there. Undefined where the original is not named.
 */
async function renamedHosts(image: Image, hostname: string): Promise<string | undefined> {
  const original = image.identity.hostname?.split('.')[0];
  if (original === undefined || original === '' || original === 'localhost') return undefined;
  if ((await image.lstat('/etc/hosts'))?.type !== 'file') return undefined;
  const text = (await readText(image, '/etc/hosts')) ?? '';
  const renamed = text
    .split('\n')
    .map((line) =>
      line.replace(/(?<=\s)[^\s#.]+(?=[\s.#]|$)/g, (name) => (name === original ? hostname : name)),
    )
    .join('\n');
  return renamed === text ? undefined : renamed;
}

/** Units that some target of /etc/systemd/system wants or requires. */
async function enabledUnits(image: Image): Promise<Set<string>> {
  const units = new Set<string>();
  for (const { name, type } of await image.readdir(SYSTEM_UNITS)) {
    if (type !== 'directory' || !/\.(wants|requires)$/.test(name)) continue;
    for (const unit of await image.readdir(`${SYSTEM_UNITS}/${name}`)) units.add(unit.name);
  }
  return units;
}

async function newIdentity(image: Image, mtimeNs: bigint): Promise<CloneChange[]> {
  const changes: CloneChange[] = [];
  const dbusId = await image.lstat('/var/lib/dbus/machine-id');
  if (dbusId?.type === 'file') {
    changes.push({
      operation: { kind: 'remove', path: '/var/lib/dbus/machine-id' },
      why: 'D-Bus takes the new machine-id',
    });
  }
  if (await isMissing(image, '/etc/ssh')) return changes;
  for (const { name, type } of await image.readdir('/etc/ssh')) {
    if (type !== 'file' || !/^ssh_host_.*_key$/.test(name)) continue;
    changes.push({
      operation: {
        kind: 'put-file',
        path: `/etc/ssh/${name}`,
        content: new Uint8Array(0),
        metadata: metadata(0o600, mtimeNs),
      },
      // Where one is missing, an update of the package makes a new one, which would look like a part of the update.
      why: 'the clone must not hold the secrets of its original; emptied, for a missing key would be made anew',
    });
  }
  return changes;
}

async function isMissing(image: Image, path: string): Promise<boolean> {
  return (await image.lstat(path))?.type !== 'directory';
}

/** Of the file that stands there; of a new one, what systemd gives it. */
async function metadataOf(image: Image, path: string): Promise<Omit<Metadata, 'mtimeNs'>> {
  const stat = await image.lstat(path);
  if (stat?.type !== 'file') return { mode: 0o644, uid: 0, gid: 0, xattrs: new Map() };
  return { mode: stat.mode, uid: stat.uid, gid: stat.gid, xattrs: await image.xattrs(path) };
}

function metadata(mode: number, mtimeNs: bigint): Metadata {
  return { mode, uid: 0, gid: 0, mtimeNs, xattrs: new Map() };
}

function byPath(a: CloneChange, b: CloneChange): number {
  return a.operation.path < b.operation.path ? -1 : a.operation.path > b.operation.path ? 1 : 0;
}
