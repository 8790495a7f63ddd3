import pLimit from 'p-limit';
import type { ContentSource } from '../chunk-store/content-source';
import { isFirstBootPath } from '../deferred/first-boot-script';
import { readEntry } from '../footprint/read-entry';
import type { Stat } from '../filesystem/filesystem';
import type { Image } from '../image/image';
import { ancestorsOf } from '../manifest/image-path';
import type { Manifest, Operation } from '../manifest/manifest-schema';

import { codecFor as registeredCodecFor } from '../records/registry';
import type { RenderedManifest } from '../render/render-manifest';
import { neutralEntryDigest } from '../variation/neutral-entry';
import { type Variation, variationOf } from '../variation/variation';
import { findDuePackages, findPackagesBrought } from './due-packages';
import { DifferenceList, type Differences } from './difference';
import type { MatchOptions } from './match-image';
import { isSameInode } from './same-inode';
import { expectationsOf, type PathExpectation } from './path-expectations';
import { examinePackages } from './examine-packages';
import { examineReads } from './examine-reads';
import { examineRecordFile } from './examine-record-file';

/** Reads in flight at a time: enough to hide the latency of block reads. */
const CONCURRENT_READS = 16;

export interface Examination extends Differences {
  /** Paths that are already as the manifest leaves them. */
  readonly alreadyDone: ReadonlySet<string>;
  readonly alreadyPatched: boolean;
}

type Verdict = 'before' | 'after' | 'differs';

/** Compares every entry that a manifest names, and what it takes for granted, with an image. Reads only. */
export async function examineImage(
  manifest: Manifest,
  image: Image,
  options: Omit<MatchOptions, 'packs'> & {
    /** With them, records are merged for trial. */
    readonly contents?: ContentSource;
    /** What rendering found (renderManifest gave this manifest). */
    readonly rendered?: Pick<RenderedManifest, 'differences' | 'variation'>;
  } = {},
): Promise<Examination> {
  const list = new DifferenceList();
  const expectations = expectationsOf(manifest);
  const alreadyDone = new Set<string>();
  const limit = pLimit(CONCURRENT_READS);
  const inParallel = async <T>(items: Iterable<T>, examine: (item: T) => Promise<void>): Promise<void> => {
    await Promise.all([...items].map((item) => limit(() => examine(item))));
  };

  examineOs(manifest, image, list);
  for (const difference of options.rendered?.differences ?? []) list.add(difference);
  for (const reason of manifest.onlyOnline ?? []) {
    list.add({
      path: '/',
      expected: 'an update that can be made offline',
      found: 'one that cannot',
      why: reason,
    });
  }
  const blocked = new Set<string>();
  await inParallel(expectations.directories, async (path) => {
    const stat = await image.lstat(path);
    if (stat?.type === 'directory') return;
    blocked.add(path);
    const found = stat?.type ?? 'absent';
    list.add({ path, expected: 'directory', found, why: 'the update changes entries below this directory' });
  });

  const variation = options.rendered?.variation ?? (await variationOf(image));
  const examiner = new PathExaminer(manifest, image, list, variation, options);
  await inParallel(expectations.paths, async (expectation) => {
    if (ancestorsOf(expectation.path).some((ancestor) => blocked.has(ancestor))) return;
    const verdict = await examiner.examine(expectation);
    if (verdict === 'after') alreadyDone.add(expectation.path);
  });
  await inParallel(expectations.linkSources, async ([path, expected]) => {
    const stat = await image.lstat(path);
    const found = stat === undefined ? 'absent' : (await readEntry(image, path, stat)).digest;
    if (found !== expected) list.add({ path, expected, found, why: 'the update makes a hard link to it' });
  });
  for (const difference of [
    ...(await findDuePackages(manifest, image)),
    ...(await examinePackages(manifest, image)),
    ...(await examineReads(manifest, image, variation, options.codecFor ?? registeredCodecFor)),
  ]) {
    list.add(difference);
  }

  // A backup file says nothing about whether the update was made: it only follows the file that it is a copy of.
  // What waits for the first boot is gone after it.
  const isDone = expectations.paths
    .filter(({ path, first }) => first.before !== 'any' && !isFirstBootPath(path))
    .every(({ path }) => alreadyDone.has(path));
  if (!isDone) for (const difference of await findPackagesBrought(manifest, image)) list.add(difference);
  const found = list.sorted();
  const alreadyPatched = found.differenceCount === 0 && isDone;
  return { ...found, alreadyDone, alreadyPatched };
}

function examineOs({ os }: Manifest, image: Image, list: DifferenceList): void {
  const words = ({ id, versionId, architecture }: Manifest['os']): string =>
    [id, versionId, architecture].join(' ');
  if (words(os) === words(image.os)) return;
  list.add({
    path: '/etc/os-release',
    expected: words(os),
    found: words(image.os),
    why: 'the manifest was captured on another operating system',
  });
}

class PathExaminer {
  private readonly removed: ReadonlySet<string>;
  constructor(
    manifest: Manifest,
    private readonly image: Image,
    private readonly list: DifferenceList,
    private readonly variation: Variation,
    private readonly options: Parameters<typeof examineImage>[2] & object,
  ) {
    this.removed = new Set(
      manifest.operations.filter(({ kind }) => kind === 'remove').map(({ path }) => path),
    );
  }

  async examine(expectation: PathExpectation): Promise<Verdict> {
    const { path, first, last } = expectation;
    const verdict =
      first.kind === 'put-record'
        ? await examineRecordFile(
            this.image,
            first,
            this.list,
            this.options.codecFor ?? registeredCodecFor,
            this.options.contents,
            this.variation,
          )
        : await this.examineEntry(expectation);
    if (verdict === 'before' && 'holdsIdentity' in last && last.holdsIdentity !== undefined) {
      this.list.add({
        path,
        expected: 'content that is the same on every machine',
        found: last.holdsIdentity.join(', '),
        why: "the update wrote the representative's own values into it, so that it fits no other machine",
      });
      return 'differs';
    }
    return verdict;
  }

  private async examineEntry({ path, first, last, names }: PathExpectation): Promise<Verdict> {
    const stat = await this.image.lstat(path);
    if (stat === undefined) {
      if (last.after === 'absent') return 'after';
      if (first.before === 'absent' || doesOverwrite(first)) return 'before';
      this.list.add({ path, expected: first.before, found: 'absent', why: 'it is not on this machine' });
      return 'differs';
    }
    if (stat.immutable || stat.appendOnly) {
      const flag = stat.immutable ? 'immutable' : 'append-only';
      const why = 'it is protected on this machine (chattr), and no update could change it';
      this.list.add({ path, expected: 'a changeable entry', found: flag, why });
      return 'differs';
    }
    const sizes = possibleSizes(first, last);
    if (stat.type === 'file' && sizes !== undefined && !sizes.includes(stat.sizeBytes)) {
      const found = `a file of ${stat.sizeBytes} bytes`;
      this.list.add({ path, expected: first.before, found, why: differs(first.before) });
      return 'differs';
    }
    const { digest } = await readEntry(this.image, path, stat);
    if (digest === last.after) return (await this.hasItsNames(stat, last, names)) ? 'after' : 'before';
    if (doesOverwrite(first) && stat.type === 'file' && stat.links === 1) return 'before';
    if (!(await this.isAsBefore(stat, first, digest))) {
      this.list.add({ path, expected: first.before, found: digest, why: differs(first.before) });
      return 'differs';
    }
    if (first.kind === 'remove' && stat.type === 'directory') return this.examineRemovedDirectory(path);
    return 'before';
  }

  /**
   * Equal files may still have to become one, or two: a link is there when it is the same inode, and a file put although
   * its content was right before has left the others when it has no more names than the manifest gives it.
   */
  private async hasItsNames(stat: Stat, last: Operation, names: number): Promise<boolean> {
    if (last.kind === 'make-hard-link') {
      const existing = await this.image.lstat(last.existingPath);
      return existing !== undefined && isSameInode(this.image, last, stat, existing);
    }
    return last.kind === 'set-metadata' || last.before !== last.after || stat.links === names;
  }

  /** Where the representative's own values stood, this machine's must stand, and not the representative's. */
  private async isAsBefore(stat: Stat, first: Operation, digest: string): Promise<boolean> {
    if (!('beforeNeutral' in first) || first.beforeNeutral === undefined) return digest === first.before;
    const isExpected = async (variation: Variation): Promise<boolean> =>
      (await neutralEntryDigest(this.image, first.path, stat, variation)).digest === first.beforeNeutral;
    // A word that is this machine's name may stand in it by chance, when it stands in everybody's.
    return (await isExpected(this.variation)) || isExpected({ ...this.variation, points: [] });
  }

  /** rmdir(2) fails on what the representative did not have in there. */
  private async examineRemovedDirectory(path: string): Promise<Verdict> {
    const others = (await this.image.readdir(path))
      .map(({ name }) => (path === '/' ? `/${name}` : `${path}/${name}`))
      .filter((child) => !this.removed.has(child))
      .sort();
    if (others.length === 0) return 'before';
    const why = 'the update removes this directory, and this machine has more in it than the representative';
    this.list.add({ path, expected: 'no other entries', found: others.slice(0, 5).join(', '), why });
    return 'differs';
  }
}

/** The package manager does not look at what is there. */
function doesOverwrite(operation: Operation): boolean {
  return 'overwrites' in operation && operation.overwrites === true;
}

/** Sizes in bytes that a file may have to match; undefined when the manifest does not say. */
function possibleSizes(first: PathExpectation['first'], last: PathExpectation['last']): number[] | undefined {
  if (!('beforeSizeBytes' in first) || first.beforeSizeBytes === undefined) return undefined;
  if (last.kind === 'put-file') return [first.beforeSizeBytes, last.sizeBytes];
  return last.kind === 'remove' || last.kind === 'set-metadata' ? [first.beforeSizeBytes] : undefined;
}

function differs(before: string): string {
  return before === 'absent'
    ? 'it is on this machine already, and is not what the update makes'
    : 'it is not what it was on the representative before the update (content, mode, owner or attributes)';
}
