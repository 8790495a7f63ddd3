import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KernelEngine } from '../../core/apply/kernel-engine';
import { kernelForTests } from '../support/kernel-engine';
import { MemoryFilesystem } from '../support/memory-filesystem';
import { e2fsck } from '../support/mounted-image';
import { engineContract, type EngineUnderTest } from './engine-contract';

const run = promisify(execFile);

/** Each refusal costs a machine: some of them a day on each kind of filesystem, all of them by EVERY_REFUSAL=1. */
const EVERY = process.env['EVERY_REFUSAL'] !== undefined;
const SHARE = 27;
const DAY = Math.floor(Date.now() / 86_400_000);

jest.setTimeout(240_000);

async function complaints(program: string, ...options: string[]): Promise<string> {
  return run(program, options).then(
    () => '',
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
}

const KINDS: readonly Pick<EngineUnderTest, 'kind' | 'mkfs' | 'sizeMiB' | 'check'>[] = [
  { kind: 'ext4', mkfs: ['mkfs.ext4', '-q', '-F', '-O', 'bigalloc'], check: e2fsck },
  {
    kind: 'xfs',
    mkfs: ['mkfs.xfs', '-q', '-f', '--unsupported'],
    check: (file) => complaints('xfs_repair', '-n', '-f', file),
  },
  {
    kind: 'btrfs',
    mkfs: ['mkfs.btrfs', '-q', '-f', '--mixed'],
    check: (file) => complaints('btrfs', 'check', '--readonly', file),
  },
];

describe.each(KINDS.map((kind, n) => ({ ...kind, n })))('the kernel engine on $kind', ({ n, ...under }) =>
  engineContract({
    ...under,
    engine: async () => new KernelEngine(await kernelForTests()),
    mount: async (device) => ({
      mountPoint: '/',
      kind: under.kind,
      // The kernel engine never asks it.
      filesystem: new MemoryFilesystem(),
      device,
    }),
    brokenSource: EVERY || n === DAY % KINDS.length,
    refusals: (nth) => EVERY || (nth + n * 9 + DAY) % SHARE === 0,
  }),
);
