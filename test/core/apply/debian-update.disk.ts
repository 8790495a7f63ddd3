import { execFile } from 'node:child_process';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { applyManifest } from '../../../core/apply/apply-manifest';
import type { ApplyEngine } from '../../../core/apply/apply-engine';
import { DirectEngine } from '../../../core/apply/direct-engine';
import { KernelEngine } from '../../../core/apply/kernel-engine';
import { SNAPSHOT_BLOCK_BYTES } from '../../../core/block-device/block-device';
import { CountingBlockReader } from '../../../core/block-device/counting-block-reader';
import { OverlayBlockDevice } from '../../../core/block-device/overlay-block-device';
import { VOLATILE_PATHS, volatileRule } from '../../../core/capture/volatile-paths';
import type { Image } from '../../../core/image/image';
import { openImage, openWritableImage } from '../../../core/image/open-image';
import type { Operation } from '../../../core/manifest/manifest-schema';
import { matchImage } from '../../../core/match/match-image';
import { codecFor } from '../../../core/records/registry';
import { comparableEntries } from '../../support/comparable-entries';
import { debianTar, inTree, unpackTree } from '../../support/debian-tree';
import { FileBlockDevice } from '../../support/file-block-device';
import { flushOverlay } from '../../support/flush-overlay';
import { kernelForTests } from '../../support/kernel-engine';
import { KernelTwin } from '../../support/kernel-twin';
import { e2fsck, ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../support/mounted-image';
import { captureUpdate, type CapturedUpdate } from '../../support/pipeline';

const run = promisify(execFile);

/**
 * The whole way of an update on real Debian trees and real ext4 volumes, judged by what the update itself does: the member
 * has packages that the representative has not, another host name and another filesystem UUID. Patched offline, it must be
 * what it is when the same commands are run on it.
 */
const onlyOnMember = ['ca-certificates', 'libxml2'];
const updates = [
  ['installing packages', 'apt-get install -y --no-download openssh-server dbus'],
  [
    'removing one, replacing files of another, and adding a user',
    `apt-get remove -y openssh-server
     printf 'new program' > /usr/bin/whoami.new; chown games: /usr/bin/whoami.new; chmod 4755 /usr/bin/whoami.new
     mv /usr/bin/whoami.new /usr/bin/whoami
     echo 'PRUNE=yes' >> /etc/adduser.conf
     ln /usr/bin/perl /usr/bin/perl-again
     mv /usr/share/common-licenses /usr/share/licenses; ln -s licenses /usr/share/common-licenses
     adduser --system --group --home /srv/x svc`,
  ],
] as const;

/** The table of packages one step earlier: where other packages are installed, apt takes the same steps in another order. */
const NAMED_DIFFERENCES = ['/var/lib/dpkg/status-old'];

/** Most snapshot blocks that a patched volume may need put for each that the kernel's writing of the same files changes. */
const MOST_OF_KERNEL = 1.25;

/** Entries with an older time of change have it from a package. */
const startedNs = BigInt(Date.now()) * 1_000_000n;

let folder: ImageFolder;
const image = (name: string): string => folder.image(name);

beforeAll(async () => {
  folder = await ImageFolder.make();
  const available = ['openssh-server', 'dbus', ...onlyOnMember];
  const tar = await debianTar({ installed: ['ucf', 'adduser'], available });
  for (const name of ['representative', 'member']) {
    const tree = join(folder.path, name);
    await unpackTree(tar, tree);
    await writeFile(join(tree, 'etc/hostname'), `${name}-7\n`);
    if (name === 'member') await inTree(tree, `apt-get install -y --no-download ${onlyOnMember.join(' ')}`);
    await makeImage(image(name), 1500, ['mkfs.ext4', '-q', '-F', '-d', tree]);
    await rm(tree, { recursive: true });
  }
}, 300_000);

afterAll(async () => {
  await folder[Symbol.asyncDispose]();
}, 60_000);

/** Runs commands in the system on a volume, as its own root. */
async function online(file: string, commands: string): Promise<void> {
  const script = `
    mount -t proc proc "$MNT/proc"; mount -t tmpfs tmpfs "$MNT/run"
    printf '#!/bin/sh\\nexit 101\\n' > "$MNT/run/policy-rc.d"; chmod 755 "$MNT/run/policy-rc.d"
    ln -sfn /run/policy-rc.d "$MNT/usr/sbin/policy-rc.d"
    chroot "$MNT" /usr/bin/env -i PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C DEBIAN_FRONTEND=noninteractive sh -euc "$COMMANDS" >&2
    umount "$MNT/proc" "$MNT/run"`;
  await onMountedImage(file, script, { environment: { COMMANDS: commands } });
}

async function withImage<T>(name: string, use: (opened: Image) => Promise<T>): Promise<T> {
  await using device = await FileBlockDevice.open(image(name));
  return await use(
    await openImage([{ volumeId: `vol-${name}`, deviceName: '/dev/xvda', isRoot: true, device }]),
  );
}

/** Applies to the volume's overlay and writes back what changed. */
async function applyTo(
  name: string,
  { manifest, packs }: CapturedUpdate,
  engine: ApplyEngine = new DirectEngine(),
): Promise<{ blocksPut: number; readTwice: number[] }> {
  await using base = await FileBlockDevice.open(image(name));
  const counted = new CountingBlockReader(base);
  const overlay = new OverlayBlockDevice(counted);
  const volume = { volumeId: `vol-${name}`, deviceName: '/dev/xvda', isRoot: true, device: overlay };
  await applyManifest({
    manifest,
    packs,
    image: await openWritableImage([volume]),
    engine,
  });
  const blocksPut = await flushOverlay(overlay, image(name));
  return { blocksPut, readTwice: counted.blocksReadMoreThanOnce() };
}

/** How many snapshot blocks of two volumes differ. */
async function differingBlocks(one: string, other: string): Promise<number> {
  const script = join(__dirname, '../../support/differing-blocks.py');
  const { stdout } = await run('/usr/bin/python3', [
    script,
    String(SNAPSHOT_BLOCK_BYTES),
    image(one),
    image(other),
  ]);
  return Number(stdout);
}

/** The kernel removes what the manifest removes, and puts the very files that it puts, as they stand on another volume. */
async function kernelPuts(name: string, from: string, { manifest }: CapturedUpdate): Promise<void> {
  const listOf = async (name: string, isWanted: (operation: Operation) => boolean): Promise<string> => {
    const list = join(folder.path, name);
    await writeFile(
      list,
      manifest.operations
        .filter(isWanted)
        .map(({ path }) => `.${path}\0`)
        .join(''),
    );
    return list;
  };
  const environment = {
    UPDATED: image(from),
    REMOVED: await listOf('removed.txt', ({ kind }) => kind === 'remove'),
    LIST: await listOf('put.txt', ({ kind }) => kind !== 'remove'),
  };
  const script = `
    cd "$MNT"; xargs -0 -a "$REMOVED" rm --dir --force; cd /
    FROM=$(mktemp -d); mount -o loop,ro "$UPDATED" "$FROM"
    tar -C "$FROM" --no-recursion --xattrs --xattrs-include='*' --numeric-owner --null -T "$LIST" -cf - |
      tar -C "$MNT" --xattrs --xattrs-include='*' --numeric-owner -xpf -
    umount "$FROM"; rmdir "$FROM"`;
  await onMountedImage(image(name), script, { environment });
}

/**
 * All that the kernel shows of a volume, inode numbers, sizes of directories and times of this day aside: what an update
 * writes itself has the time at which it did.
 */
async function listing(name: string): Promise<Map<string, string>> {
  const isVolatile = volatileRule(VOLATILE_PATHS);
  const firstName = new Map<number, string>();
  const lines = new Map<string, string>();
  for (const line of (await onMountedImage(image(name), LIST_TREE)).split('\n')) {
    if (!line.includes('"path"')) continue;
    const { inode, ctimeNs: _ctime, mtimeNs, links, ...entry } = JSON.parse(line);
    if (isVolatile(entry.path) !== undefined || NAMED_DIFFERENCES.includes(entry.path)) continue;
    firstName.set(inode, firstName.get(inode) ?? entry.path);
    if (entry.type === 'directory') delete entry.sizeBytes;
    else Object.assign(entry, { links }, isOfPackage(entry.path, mtimeNs) ? { mtimeNs } : {});
    entry.sameInodeAs = firstName.get(inode);
    lines.set(entry.path, JSON.stringify(entry));
  }
  return lines;
}

/** A table is written by its tools, whatever time it has. */
function isOfPackage(path: string, mtimeNs: string): boolean {
  return BigInt(mtimeNs) < startedNs && codecFor(path) === undefined;
}

/** All that two writers must agree on. */
async function entries(name: string): Promise<string[]> {
  await using twin = KernelTwin.mount(image(name), 'loop,ro');
  return comparableEntries(await twin.list());
}

describe.each(updates)('%s', (_what, commands) => {
  let captured: CapturedUpdate;

  beforeAll(async () => {
    for (const name of ['representative', 'member']) {
      await run('cp', ['--sparse=always', image(name), image(`${name}-updated`)]);
      await online(image(`${name}-updated`), commands);
    }
    captured = await withImage('representative', (before) =>
      withImage('representative-updated', (after) => captureUpdate(before, after, { codecFor })),
    );
  }, 300_000);

  afterAll(async () => {
    for (const name of ['representative', 'member']) await rename(image(`${name}-updated`), image(name));
  }, 60_000);

  it('patches the other machine to what the commands make of it', async () => {
    const match = await withImage('member', (member) => matchImage(captured.manifest, member, captured));
    expect(match).toEqual({ matched: true, alreadyPatched: false, differences: [], differenceCount: 0 });

    await run('cp', ['--sparse=always', image('member'), image('patched')]);
    const { blocksPut, readTwice } = await applyTo('patched', captured);
    expect(blocksPut).toBe(await differingBlocks('member', 'patched'));
    expect(readTwice).toEqual([]);
    await run('cp', ['--sparse=always', image('member'), image('kernel')]);
    await kernelPuts('kernel', 'representative-updated', captured);
    const blocksOfKernel = await differingBlocks('member', 'kernel');
    expect(blocksPut).toBeLessThanOrEqual(blocksOfKernel * MOST_OF_KERNEL);
    process.stdout.write(`    ${blocksPut} blocks put (kernel: ${blocksOfKernel})\n`);

    expect(await e2fsck(image('patched'))).toBe('');
    const [found, expected] = [await listing('patched'), await listing('member-updated')];
    const different = [...new Set([...found.keys(), ...expected.keys()])]
      .filter((path) => found.get(path) !== expected.get(path))
      .map((path) => `${expected.get(path)}\n${found.get(path)}`);
    expect(different).toEqual([]);
    expect(found.size).toBeGreaterThan(3000);

    const again = await withImage('patched', (member) => matchImage(captured.manifest, member));
    expect(again).toMatchObject({ matched: true, alreadyPatched: true });
  }, 300_000);

  it('by either engine leaves the same, the times of directories included', async () => {
    await run('cp', ['--sparse=always', image('member'), image('by-kernel')]);
    await applyTo('by-kernel', captured, new KernelEngine(await kernelForTests()));
    expect(await e2fsck(image('by-kernel'))).toBe('');
    const [direct, kernel] = await Promise.all(['patched', 'by-kernel'].map(entries));
    expect(direct!.filter((line, n) => line !== kernel![n])).toEqual([]);
    expect(kernel!.length).toBe(direct!.length);
  }, 300_000);
});
