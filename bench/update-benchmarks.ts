import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { LinuxKernel } from '../core/filesystem/linux-kernel';
import { joinRecorder, RECORDER_MODULES } from '../core/recording/recorder-program';
import { recordedScript } from '../core/update/recorded-script';
import { EmulatedKernel } from '../kernel-engine';
import { makeGuest } from '../kernel-engine/build/make-guest';
import { makeQemu } from '../kernel-engine/build/qemu/make-qemu';
import { copySparse, DOWNLOAD, inImage, type Images, UPDATE_LISTS, UPGRADE } from './images';
import { operationsFor, performOn } from './our-engines';
import { applyTo, captureUpdate, type CapturedUpdate, matchMember, profileMember } from './our-steps';
import { differingBlocks, guestfishPuts, kernelPuts, tarOfSameFiles } from './rivals';
import type { Benchmark } from './samples';

const FAST_RUNS = 9;
const SLOW_RUNS = 3;

/** One update of one volume, done in several ways. */
export async function updateBenchmarks(
  images: Images,
  update: CapturedUpdate,
  folder: string,
  tell: (line: string) => void,
): Promise<Benchmark[]> {
  const tar = await tarOfSameFiles(images.after, update.manifest, folder);
  const operations = await operationsFor(images.member, update);
  const kernel = await kernelEngine(tell);
  const mountPoint = path.join(folder, 'mounted');
  await mkdir(mountPoint);
  const patched = path.join(folder, 'patched.raw');
  const freshCopy = (): Promise<void> => copySparse(images.member, patched);
  const blocksPut = async () => ({ blocksPut: await differingBlocks(images.member, patched) });
  const withPackages = async (): Promise<void> => {
    await freshCopy();
    await inImage(patched, `${UPDATE_LISTS}; ${DOWNLOAD}`);
  };
  const onFreshCopy = { prepare: freshCopy, count: blocksPut };

  return [
    {
      name: 'apply',
      what: 'our apply, direct engine: open the image, check every entry, write, verify, check, put the changed blocks, sync',
      runs: FAST_RUNS,
      ...onFreshCopy,
      run: () => applyTo(patched, update),
    },
    {
      name: 'direct',
      what: 'our direct engine alone: open the image, write, put the changed blocks, sync',
      runs: FAST_RUNS,
      ...onFreshCopy,
      run: () => performOn(patched, operations),
    },
    {
      name: 'kernel',
      what: '(a) the kernel puts the very same files: loop mount, `tar -x`, umount, sync',
      runs: FAST_RUNS,
      ...onFreshCopy,
      run: async () => (await kernelPuts(patched, tar, mountPoint), {}),
    },
    {
      name: 'kernel-engine',
      what: 'our kernel engine alone: open the image, boot, write, put the changed blocks, sync; processor emulated',
      runs: SLOW_RUNS,
      ...onFreshCopy,
      run: () => performOn(patched, operations, kernel),
    },
    {
      name: 'guestfish',
      what: '(c) `guestfish tar-in` of the very same files, processor emulated',
      runs: SLOW_RUNS,
      ...onFreshCopy,
      run: async () => (await guestfishPuts(patched, tar), {}),
    },
    {
      name: 'kernel-apply',
      what: 'our apply, kernel engine: as the first, written by the emulated machine',
      runs: SLOW_RUNS,
      ...onFreshCopy,
      run: () => applyTo(patched, update, kernel),
    },
    {
      name: 'apt',
      what: '(b) `apt-get update` and `apt-get upgrade` in a chroot, downloads included',
      runs: SLOW_RUNS,
      ...onFreshCopy,
      run: async () => (await inImage(patched, `${UPDATE_LISTS}; ${UPGRADE}`), {}),
    },
    {
      name: 'apt-cached',
      what: '(b) `apt-get upgrade` alone, with the packages in the cache',
      runs: SLOW_RUNS,
      prepare: withPackages,
      run: async () => (await inImage(patched, UPGRADE), {}),
    },
    {
      name: 'apt-recorded',
      what: 'the same with the recorder around it',
      runs: SLOW_RUNS,
      prepare: withPackages,
      run: async () => (await inImage(patched, await recorded(UPGRADE)), {}),
    },
    {
      name: 'profile',
      what: 'our profile of one machine',
      runs: FAST_RUNS,
      run: () => profileMember(images.member),
    },
    {
      name: 'match',
      what: 'our match of one machine with the manifest',
      runs: FAST_RUNS,
      run: () => matchMember(images.member, update),
    },
    {
      name: 'capture',
      what: 'our capture, packs stored (once for each class)',
      runs: SLOW_RUNS,
      run: async () => (await captureUpdate(images)).counts,
    },
  ];
}

/** Fails when it was not recorded to its end. */
async function recorded(commands: string): Promise<string> {
  const modules = RECORDER_MODULES.map(async (name) => ({
    name,
    text: await readFile(path.join(__dirname, '../recorder', `${name}.py`), 'utf8'),
  }));
  const script = recordedScript({
    update: ['set -eu', commands],
    recorder: joinRecorder(await Promise.all(modules)),
    name: 'bench',
    uploadTo: 's3://bench/recording',
  });
  return [
    // A program and no function: timeout(1) runs it.
    `mkdir -p /run/bin; printf '#!/bin/sh\\ncp "$4" /run/recording\\n' > /run/bin/aws; chmod 755 /run/bin/aws`,
    'PATH=/run/bin:$PATH',
    ...['(set +eu', ...script, ')'],
    'zcat /run/recording > /run/lines; head -1 /run/lines | grep -q fanotify; grep -q \'"overflows":0\' /run/lines',
  ].join('\n');
}

/** Built as the image of the functions has it, QEMU included. */
async function kernelEngine(tell: (line: string) => void): Promise<LinuxKernel> {
  const directory = path.join(__dirname, '../dist/kernel-engine');
  const options = {
    sources: path.join(__dirname, '../kernel-engine'),
    output: directory,
    allowNewer: true,
    tell,
  };
  await makeGuest(options);
  await makeQemu(options);
  return EmulatedKernel.open({ directory });
}
