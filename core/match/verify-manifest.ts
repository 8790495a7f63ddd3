import pLimit from 'p-limit';
import { digestOf } from '../chunk-store/digest';
import { readEntry } from '../footprint/read-entry';
import type { PackReader } from '../chunk-store/chunk-store';
import { PackedContents } from '../chunk-store/packed-contents';
import type { Image } from '../image/image';
import type { Manifest, OperationOf } from '../manifest/manifest-schema';
import { readRecordFile } from '../records/read-record-file';
import type { RecordCodec } from '../records/record-codec';
import { codecFor as registeredCodecFor } from '../records/registry';
import { renderManifest } from '../render/render-manifest';
import { DifferenceList, type Differences } from './difference';
import { expectationsOf } from './path-expectations';
import { isSameInode } from './same-inode';

const CONCURRENT_READS = 16;

export interface VerifyResult extends Differences {
  /** Whether every entry is as the manifest leaves it. */
  readonly verified: boolean;
}

/**
 * Re-reads every entry that a manifest changes, and compares it with the digest that the manifest leaves on this machine.
 *
 * @throws what the chunk store throws
 */
export async function verifyManifest(
  manifest: Manifest,
  image: Image,
  { packs, ...options }: { packs: PackReader; codecFor?: (path: string) => RecordCodec | undefined },
): Promise<VerifyResult> {
  const rendered = await renderManifest(manifest, image, new PackedContents(packs, manifest.packs));
  const { differences } = rendered;
  if (differences.length > 0) return { verified: false, differences, differenceCount: differences.length };
  return verifyRendered(rendered.manifest, image, options);
}

/** As verifyManifest, for a manifest that was rendered for this machine. */
export async function verifyRendered(
  manifest: Manifest,
  image: Image,
  options: { codecFor?: (path: string) => RecordCodec | undefined } = {},
): Promise<VerifyResult> {
  const list = new DifferenceList();
  const limit = pLimit(CONCURRENT_READS);
  const codecFor = options.codecFor ?? registeredCodecFor;
  await Promise.all(
    expectationsOf(manifest).paths.map(({ path, last }) =>
      limit(async () => {
        const stat = await image.lstat(path);
        const content = last.kind === 'put-record' ? 'skip' : 'read';
        const found =
          stat === undefined ? 'absent' : (await readEntry(image, path, stat, { content })).digest;
        if (found !== last.after) {
          list.add({ path, expected: last.after, found, why: 'it is not as the update leaves it' });
        } else if (last.kind === 'put-record') {
          await verifyRecords(image, last, list, codecFor(path));
        } else if (last.kind === 'make-hard-link') {
          const existing = await image.lstat(last.existingPath);
          if (stat === undefined || existing === undefined || !isSameInode(image, last, stat, existing)) {
            const expected = `a hard link to ${last.existingPath}`;
            list.add({
              path,
              expected,
              found: 'a file of its own',
              why: 'it is not as the update leaves it',
            });
          }
        }
      }),
    ),
  );
  const found = list.sorted();
  return { verified: found.differenceCount === 0, ...found };
}

async function verifyRecords(
  image: Image,
  { path, records, codec: codecName }: OperationOf<'put-record'>,
  list: DifferenceList,
  codec: RecordCodec | undefined,
): Promise<void> {
  if (codec?.name !== codecName) {
    list.add({
      path,
      expected: codecName,
      found: codec?.name ?? 'no codec',
      why: 'it cannot be read by record',
    });
    return;
  }
  const file = await readRecordFile(image, path, codec);
  for (const { key, after } of records) {
    const bytes = file.records.get(key);
    const found = bytes === undefined ? 'absent' : digestOf(bytes);
    if (found !== after) {
      list.add({
        path,
        record: key,
        expected: after,
        found,
        why: 'this record is not as the update leaves it',
      });
    }
  }
}
