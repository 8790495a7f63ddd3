import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { BlockReader } from '../../core/block-device/block-device';
import type { DirectoryEntry, FilesystemReader, ScannedEntry } from '../../core/filesystem/filesystem';
import { FileBlockDevice } from '../support/file-block-device';
import { FILL_TREE, ImageFolder, LIST_TREE, makeImage, onMountedImage } from '../support/mounted-image';
import { newerTool } from '../support/newer-tools';
import { FailingReader, isOnPurpose } from '../support/failing-device';
import {
  listingDifferences,
  parseKernelListing,
  readerListing,
  type TreeListing,
} from '../support/tree-listing';

const run = promisify(execFile);

/** One way to make a filesystem. */
export interface Volume {
  /** Unique among the volumes of its kind: docs/filesystems.md names it. */
  readonly name: string;
  /** The command and its options; the image file comes last. */
  readonly mkfs: readonly string[];
  /** Whose mkfs it is: this machine's (Debian 12), or a newer release's. */
  readonly tools?: 'newer';
  readonly sizeMiB?: number;
  /** The byte of all space that mkfs does not write. 0 keeps the image sparse. */
  readonly filledWith?: number;
  /** Shell commands with the volume mounted at `$MNT`; without it the tree of fill-tree.py. */
  readonly fill?: string;
  /** What is done to the image file (the last argument) when it is filled: for features that are turned on then. */
  readonly afterwards?: readonly string[];
  /** How it is mounted to be judged after that; by default `loop,ro`. */
  readonly judgedAs?: string;
}

/** A reader under contract. */
export interface ReaderUnderTest {
  readonly kind: string;
  readonly open: (device: BlockReader) => Promise<FilesystemReader>;
  readonly close?: (filesystem: FilesystemReader) => Promise<void>;
  /** What the filesystem shows; without it this machine's kernel is asked. */
  readonly judge?: (file: string) => Promise<TreeListing>;
}

export const SMALL_TREE = FILL_TREE + ' 500';

/** What every FilesystemReader does, on each of the volumes, with the kernel as the judge. */
export function readerContract(reader: ReaderUnderTest, volumes: readonly Volume[]): void {
  describe.each(volumes)('$name', (volume) => {
    let folder: ImageFolder;
    let file: string;
    let device: FileBlockDevice;
    let filesystem: FilesystemReader;
    let kernel: TreeListing;
    let scanned: ScannedEntry[];

    beforeAll(async () => {
      folder = await ImageFolder.make();
      file = folder.image('volume');
      kernel = await fill(reader, volume, file);
      device = await FileBlockDevice.open(file);
      filesystem = await reader.open(device);
      scanned = [];
      for await (const entry of filesystem.scan()) scanned.push(entry);
    });
    afterAll(async () => {
      await reader.close?.(filesystem);
      await device[Symbol.asyncDispose]();
      await rm(file);
      await folder[Symbol.asyncDispose]();
    });

    it('shows every path, content, attribute and the free space as the kernel does', async () => {
      expect(listingDifferences(kernel, await readerListing(filesystem))).toEqual([]);
    });

    it('says what it is', async () => {
      expect(filesystem.kind).toBe(reader.kind);
      expect(filesystem.uuid).toBe(await tag(file, 'UUID'));
      expect(filesystem.label).toBe(await tag(file, 'LABEL'));
      expect(filesystem.sizeBytes).toBeLessThanOrEqual(device.sizeBytes);
    });

    it('scans a parent before its children, each path once, and a walk finds the same', async () => {
      const seen = new Set<string>();
      for (const { path: found } of scanned) {
        expect([found, seen.has(found)]).toEqual([found, false]);
        if (found !== '/') expect([found, seen.has(path.posix.dirname(found))]).toEqual([found, true]);
        seen.add(found);
      }
      expect(scanned[0]?.path).toBe('/');
      const walked = await walk(filesystem);
      expect(new Set(walked.keys())).toEqual(seen);
      for (const { path: found, stat } of scanned) {
        const entry = walked.get(found);
        if (entry !== undefined) {
          expect([found, entry.inode, entry.type]).toEqual([found, stat.inode, stat.type]);
        }
        expect(await filesystem.lstat(found)).toEqual(stat);
      }
    });

    it('reads ranges as it reads whole files, several at once', async () => {
      const files = scanned.filter(({ stat }) => stat.type === 'file' && stat.sizeBytes < 9_000_000);
      const chosen = files.filter((_, n) => n % Math.ceil(files.length / 60) === 0);
      await Promise.all(
        [...chosen, ...files.filter(({ path: found }) => /sparse|size-/.test(found))].map(async (entry) => {
          const whole = await filesystem.readFile(entry.path);
          expect(whole.length).toBe(entry.stat.sizeBytes);
          for (const [offsetBytes, lengthBytes] of rangesOf(whole.length)) {
            const part = await filesystem.readFile(entry.path, { offsetBytes, lengthBytes });
            const expected = whole.subarray(
              Math.min(offsetBytes, whole.length),
              Math.min(offsetBytes + lengthBytes, whole.length),
            );
            const same = Buffer.compare(part, expected) === 0;
            expect([entry.path, offsetBytes, lengthBytes, same]).toEqual([
              entry.path,
              offsetBytes,
              lengthBytes,
              true,
            ]);
          }
        }),
      );
    });

    it('answers typed errors to what cannot be done, and never follows a symbolic link', async () => {
      const one = (type: string): string | undefined =>
        scanned.find(({ stat }) => stat.type === type && stat.sizeBytes > 0)?.path;
      const [aFile, aDirectory, aLink] = [one('file')!, '/', one('symlink')];
      const under = (found: string): string => (found === '/' ? '/no-such-name' : `${found}/no-such-name`);
      expect(await filesystem.lstat(under(aDirectory))).toBeUndefined();
      expect(await filesystem.lstat(under(aFile))).toBeUndefined();
      expect(await filesystem.lstat('/no-such-directory/name')).toBeUndefined();
      const refusals: [string, Promise<unknown>][] = [
        ['NotFoundError', filesystem.readdir(under(aDirectory))],
        ['NotFoundError', filesystem.readFile(under(aDirectory))],
        ['NotFoundError', filesystem.readlink(under(aDirectory))],
        ['NotFoundError', filesystem.xattrs(under(aDirectory))],
        ['NotADirectoryError', filesystem.readdir(aFile)],
        ['WrongFileTypeError', filesystem.readFile(aDirectory)],
        ['WrongFileTypeError', filesystem.readlink(aFile)],
      ];
      if (aLink !== undefined) {
        expect((await filesystem.lstat(aLink))?.type).toBe('symlink');
        expect(await filesystem.lstat(under(aLink))).toBeUndefined();
        refusals.push(['NotADirectoryError', filesystem.readdir(aLink)]);
        refusals.push(['WrongFileTypeError', filesystem.readFile(aLink)]);
      }
      for (const [name, refusal] of refusals) await expect(refusal).rejects.toMatchObject({ name });
    });

    it('throws the error of a device that fails, and answers again when it does no more', async () => {
      const failing = new FailingReader(device);
      const opened = await reader.open(failing);
      try {
        const few = scanned.filter((_, n) => n % Math.ceil(scanned.length / 12) === 0);
        for (const { path: found, stat } of few) {
          failing.reads.failFrom(0);
          const attempt = await opened.lstat(found).catch((error: unknown) => error);
          if (failing.reads.haveStruck) expect(isOnPurpose(attempt)).toBe(true);
          failing.reads.recover();
          expect(await opened.lstat(found)).toEqual(stat);
        }
      } finally {
        await reader.close?.(opened);
      }
    });
  });
}

/** Makes the volume and has the kernel fill it. @returns what the judge sees */
async function fill(reader: ReaderUnderTest, volume: Volume, file: string): Promise<TreeListing> {
  const { mkfs, sizeMiB = 112, filledWith = 0xa5, fill: script = SMALL_TREE, afterwards, judgedAs } = volume;
  const [program, ...options] = mkfs;
  const command = volume.tools === 'newer' ? await newerTool(program!) : [program!];
  await makeImage(file, sizeMiB, [...command, ...options], { filledWith });
  if (reader.judge === undefined && afterwards === undefined) {
    return parseKernelListing(await onMountedImage(file, `${script}\n${LIST_TREE}`));
  }
  await onMountedImage(file, script);
  if (afterwards !== undefined) await run(afterwards[0]!, [...afterwards.slice(1), file]);
  if (reader.judge !== undefined) return reader.judge(file);
  return parseKernelListing(await onMountedImage(file, LIST_TREE, { mountOptions: judgedAs ?? 'loop,ro' }));
}

/** What blkid says of the filesystem; nothing when it has none of that. */
async function tag(file: string, name: string): Promise<string> {
  return (await run('sh', ['-c', 'blkid -p -s "$1" -o value "$0" || true', file, name])).stdout.replace(
    /\n$/,
    '',
  );
}

/** Every path by readdir alone, with what the directory says of it. The root stands in none. */
async function walk(filesystem: FilesystemReader): Promise<Map<string, DirectoryEntry | undefined>> {
  const found = new Map<string, DirectoryEntry | undefined>([['/', undefined]]);
  const directories = ['/'];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const entry of await filesystem.readdir(directory)) {
      const inside = path.posix.join(directory, entry.name);
      found.set(inside, entry);
      if (entry.type === 'directory') directories.push(inside);
    }
  }
  return found;
}

function rangesOf(sizeBytes: number): [offsetBytes: number, lengthBytes: number][] {
  const middle = Math.floor(sizeBytes / 2);
  return [
    [0, 1],
    [middle, 1],
    [Math.max(0, middle - 700), 5000],
    [Math.max(0, sizeBytes - 3), 100],
    [sizeBytes, 10],
    [sizeBytes + 5000, 10],
    [1, 0],
  ];
}
