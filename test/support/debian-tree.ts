import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = join(__dirname, '../../.imageelves/test-cache');
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * A tar of a small Debian 12 with the package files of `available` in apt's archive, so that they can be installed without
 * the network. Built once (about 20 s, needs the mirror and root), kept below .imageelves/.
 */
export async function debianTar(
  {
    installed,
    available,
  }: {
    readonly installed: readonly string[];
    readonly available: readonly string[];
  },
  cacheFolder = CACHE,
): Promise<string> {
  const recipe = JSON.stringify({ version: 1, installed, available });
  const tar = join(
    cacheFolder,
    `debian-12-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}.tar`,
  );
  const exists = await access(tar).then(
    () => true,
    () => false,
  );
  if (exists) return tar;
  await mkdir(cacheFolder, { recursive: true });
  const part = `${tar}.${process.pid}.tar`;
  try {
    await run('unshare', [
      ...['--mount', '--propagation', 'private', '--'],
      ...['mmdebstrap', '--quiet', '--variant=minbase', '--skip=cleanup/apt'],
      ...['--aptopt=Acquire::GzipIndexes "false"', '--aptopt=APT::Install-Recommends "false"'],
      `--include=${installed.join(',')}`,
      `--customize-hook=chroot "$1" apt-get install -qq --download-only ${available.join(' ')}`,
      ...['bookworm', part, 'http://deb.debian.org/debian'],
    ]);
    await rename(part, tar);
  } finally {
    await rm(part, { force: true });
  }
  return tar;
}

/** A tree that several tests begin with, so that it is built once. */
export function debianWithPackages(): Promise<string> {
  return debianTar({
    installed: ['ucf', 'adduser', 'nano', 'ca-certificates'],
    available: ['openssh-server', 'ssl-cert', 'dbus', 'vim-tiny', 'ed', 'libxml2'],
  });
}

/** Unpacks the tree into a folder, which is made. */
export async function unpackTree(tar: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await run('tar', [
    '--extract',
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '-f',
    tar,
    '-C',
    folder,
  ]);
}

/** Runs a shell command in the tree, with /proc, in a mount namespace of its own; no service is started. */
export async function inTree(folder: string, command: string): Promise<string> {
  const script = `
    mount -t proc proc "$TREE/proc"
    mount -t tmpfs tmpfs "$TREE/run"
    printf '#!/bin/sh\\nexit 101\\n' > "$TREE/run/policy-rc.d"; chmod 755 "$TREE/run/policy-rc.d"
    ln -sfn /run/policy-rc.d "$TREE/usr/sbin/policy-rc.d"
    chroot "$TREE" sh -euc "$COMMAND"`;
  const { stdout } = await run(
    'unshare',
    ['--mount', '--pid', '--fork', '--propagation', 'private', '--', 'sh', '-euc', script],
    {
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        LC_ALL: 'C',
        DEBIAN_FRONTEND: 'noninteractive',
        TREE: folder,
        COMMAND: command,
      },
      maxBuffer: MAX_OUTPUT_BYTES,
    },
  );
  return stdout;
}
