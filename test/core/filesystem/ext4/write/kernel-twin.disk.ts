import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OverlayBlockDevice } from '../../../../../core/block-device/overlay-block-device';
import type { FilesystemWriter } from '../../../../../core/filesystem/filesystem';
import { openExt4Writable } from '../../../../../core/filesystem/ext4/write/open-ext4-writable';
import { FileBlockDevice } from '../../../../support/file-block-device';
import {
  type FilesystemOperation,
  kernelOutcomes,
  type Outcome,
  performOperation,
} from '../../../../support/filesystem-operations';
import { flushOverlay } from '../../../../support/flush-overlay';
import { e2fsck, LIST_TREE, makeImage, onMountedImage } from '../../../../support/mounted-image';
import { randomOperations } from '../../../../support/random-operations';
import { VOLUME_MATRIX, mkfsCommand } from '../../../../support/volume-matrix';

const OPERATIONS = 500;
const CHUNKS = 3;
/** One seed that is always the same, and one that is new every day. Both are in the name of the test. */
const SEEDS = [20_240_229, Math.floor(Date.now() / 86_400_000)];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ext4-twin-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Opens the image, lets `change` work on it, and writes back what changed. */
async function onImage<T>(file: string, change: (filesystem: FilesystemWriter) => Promise<T>): Promise<T> {
  await using base = await FileBlockDevice.open(file);
  const overlay = new OverlayBlockDevice(base);
  const filesystem = await openExt4Writable(overlay);
  const result = await change(filesystem);
  expect(await filesystem.check()).toEqual([]);
  await flushOverlay(overlay, file);
  return result;
}

async function byKernel(file: string, operations: readonly FilesystemOperation[]): Promise<Outcome[]> {
  const list = join(folder, 'operations.jsonl');
  await writeFile(list, operations.map((operation) => JSON.stringify(operation)).join('\n'));
  const script = '"$PYTHON" "$SUPPORT/apply-operations.py" "$MNT" "$LIST"';
  return kernelOutcomes(await onMountedImage(file, script, { environment: { LIST: list } }));
}

/** What two writers must agree on: not inode numbers, sizes of directories, or times that only the kernel's clock sets. */
async function comparable(file: string): Promise<string[]> {
  const firstName = new Map<number, string>();
  return (await onMountedImage(file, LIST_TREE))
    .split('\n')
    .filter((line) => line.includes('"path"') && !line.includes('lost+found'))
    .map((line) => {
      const { inode, ctimeNs, ...entry } = JSON.parse(line);
      expect(ctimeNs).toBeDefined();
      firstName.set(inode, firstName.get(inode) ?? entry.path);
      entry.sameInodeAs = firstName.get(inode);
      if (entry.type === 'directory') {
        delete entry.sizeBytes;
      }
      if (entry.type === 'symlink') {
        delete entry.mode;
      }
      return JSON.stringify(entry);
    });
}

/** Sets every directory's times, which the kernel's clock has touched on one side only. */
async function settleDirectories(filesystem: FilesystemWriter): Promise<FilesystemOperation[]> {
  const operations: FilesystemOperation[] = [];
  for await (const { path, stat } of filesystem.scan()) {
    const { type, mode, uid, gid } = stat;
    if (type === 'directory' && path !== '/lost+found') {
      const xattrs = [...(await filesystem.xattrs(path))].map(([name, value]) => [
        name,
        Buffer.from(value).toString('hex'),
      ]);
      operations.push({
        operation: 'setMetadata',
        path,
        metadata: { mode, uid, gid, mtimeNs: '1600000000000000001', xattrs: Object.fromEntries(xattrs) },
      });
    }
  }
  return operations;
}

describe.each(SEEDS)('random operations of seed %i, done by the writer and by the kernel', (seed) => {
  it.each(Object.entries(VOLUME_MATRIX))('on a volume with %s', async (_name, options) => {
    const ours = join(folder, 'ours.img');
    const theirs = join(folder, 'theirs.img');
    for (const file of [ours, theirs]) {
      await makeImage(file, 48, mkfsCommand(options));
    }
    const operations = randomOperations(seed, OPERATIONS);
    const outcomes: Outcome[] = [];
    const perChunk = Math.ceil(operations.length / CHUNKS);
    for (let first = 0; first < operations.length; first += perChunk) {
      await onImage(ours, async (filesystem) => {
        for (const operation of operations.slice(first, first + perChunk)) {
          outcomes.push(await performOperation(filesystem, operation));
        }
      });
      expect(await e2fsck(ours)).toBe('');
    }
    const settling = await onImage(ours, async (filesystem) => {
      const list = await settleDirectories(filesystem);
      for (const operation of list) {
        outcomes.push(await performOperation(filesystem, operation));
      }
      return list;
    });
    const all = [...operations, ...settling];
    const expected = await byKernel(theirs, all);
    const differing = all.map((operation, n) => ({ operation, ours: outcomes[n], kernel: expected[n] }));
    expect(differing.filter(({ ours: a, kernel: b }) => a !== b)).toEqual([]);
    expect(await comparable(ours)).toEqual(await comparable(theirs));
    expect(await e2fsck(ours)).toBe('');
  });
});
