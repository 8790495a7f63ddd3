import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesystemWriter } from '../../../../../core/filesystem/filesystem';
import {
  type FilesystemOperation,
  kernelOutcomes,
  type Outcome,
  performOperation,
} from '../../../../support/filesystem-operations';
import { e2fsck, ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../../../../support/mounted-image';
import { randomOperations } from '../../../../support/random-operations';
import { VOLUME_MATRIX, mkfsCommand } from '../../../../support/volume-matrix';
import { changeImage } from '../../../../support/writable-image';

const OPERATIONS = 500;
const CHUNKS = 2;
/** The same for every volume, and one that is new every day for some of them. Both are in the name of the test. */
const FIXED_SEED = 20_240_229;
const DAY = Math.floor(Date.now() / 86_400_000);
const VOLUMES = Object.entries(VOLUME_MATRIX).map(([name, options]) => ({ name, options, seed: FIXED_SEED }));
const OF_THE_DAY = VOLUMES.filter((_, n) => (n + DAY) % 3 === 0).map((volume) => ({ ...volume, seed: DAY }));

jest.setTimeout(60_000);

let folder: ImageFolder;
beforeEach(async () => {
  folder = await ImageFolder.make();
});
afterEach(async () => folder[Symbol.asyncDispose]());

async function byKernel(file: string, operations: readonly FilesystemOperation[]): Promise<Outcome[]> {
  const list = join(folder.path, 'operations.jsonl');
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

it.each([...VOLUMES, ...OF_THE_DAY])(
  'on a volume with $name, random operations of seed $seed leave what the kernel leaves',
  async ({ options, seed }) => {
    const ours = folder.image('ours');
    const theirs = folder.image('theirs');
    // The kernel begins, so that the writer has to go on with what the kernel has made.
    await makeImage(ours, 48, mkfsCommand(options));
    await byKernel(ours, randomOperations(seed + 1, OPERATIONS / 2));
    await copyFile(ours, theirs);
    const operations = randomOperations(seed, OPERATIONS);
    const outcomes: Outcome[] = [];
    const perChunk = Math.ceil(operations.length / CHUNKS);
    for (let first = 0; first < operations.length; first += perChunk) {
      await changeImage(ours, async (filesystem) => {
        for (const operation of operations.slice(first, first + perChunk)) {
          outcomes.push(await performOperation(filesystem, operation));
        }
      });
      expect(await e2fsck(ours)).toBe('');
    }
    const { result: settling } = await changeImage(ours, async (filesystem) => {
      const list = await settleDirectories(filesystem);
      for (const operation of list) {
        outcomes.push(await performOperation(filesystem, operation));
      }
      return list;
    });
    const all = [...operations, ...settling];
    const expected = await byKernel(theirs, all);
    const answers = all.map((operation, n) => ({ operation, ours: outcomes[n], kernel: expected[n] }));
    expect(answers.filter(({ ours: our, kernel }) => our !== kernel)).toEqual([]);
    expect(await comparable(ours)).toEqual(await comparable(theirs));
    // And the kernel goes on with what the writer has made.
    const further = randomOperations(seed + 2, OPERATIONS / 2);
    expect(await byKernel(ours, further)).toEqual(await byKernel(theirs, further));
    expect(await e2fsck(ours)).toBe('');
  },
);
