import type { PackReader } from '../chunk-store/chunk-store';
import { PackedContents } from '../chunk-store/packed-contents';
import type { WritableImage } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import { examineImage } from '../match/examine-image';
import { verifyManifest } from '../match/verify-manifest';
import type { RecordCodec } from '../records/record-codec';
import { codecFor as registeredCodecFor } from '../records/registry';
import type { ApplyEngine } from './apply-engine';
import { ApplyVerificationError, describeDifference, ManifestMismatchError } from './apply-errors';
import { placeOf } from './direct-engine';
import { checkFreeSpace } from './free-space';
import { resolveOperations } from './resolve-operations';

export interface ApplyRequest {
  readonly manifest: Manifest;
  readonly image: WritableImage;
  readonly packs: PackReader;
  readonly engine: ApplyEngine;
  /** The registry of core/records, unless a test has its own. */
  readonly codecFor?: (path: string) => RecordCodec | undefined;
}

export interface ApplyResult {
  readonly engine: ApplyEngine['name'];
  /** Operations performed; those whose path was already as it should be are not among them. */
  readonly operations: number;
  readonly contentBytes: number;
  /** True when there was nothing to do: nothing was written. */
  readonly alreadyPatched: boolean;
}

/**
 * Performs a manifest on the overlay of an image. All or nothing: first every `before` is checked, then all operations
 * are performed, then every `after` is read again and each filesystem that was written is checked. On any error the
 * caller drops the overlay.
 *
 * @throws ManifestMismatchError, NotEnoughSpaceError (nothing was written)
 * @throws ApplyError, ApplyVerificationError (drop the overlay), and what the chunk store throws
 */
export async function applyManifest(request: ApplyRequest): Promise<ApplyResult> {
  const { manifest, image, packs, engine, codecFor = registeredCodecFor } = request;
  const contents = new PackedContents(packs, manifest.packs);
  const examination = await examineImage(manifest, image, { contents, codecFor });
  if (examination.differenceCount > 0) throw new ManifestMismatchError(examination);
  if (examination.alreadyPatched) {
    return { engine: engine.name, operations: 0, contentBytes: 0, alreadyPatched: true };
  }
  const { alreadyDone } = examination;
  await checkFreeSpace(manifest, image, alreadyDone);
  const operations = resolveOperations({ manifest, image, contents, alreadyDone, codecFor });
  const result = await engine.perform(image.writableMounts, operations);

  const { differences } = await verifyManifest(manifest, image, { codecFor });
  const touched = new Set(
    manifest.operations.map(({ path }) => placeOf(image.writableMounts, path).mount.writer),
  );
  const problems = differences.map(describeDifference);
  for (const writer of touched) problems.push(...((await writer?.check()) ?? []));
  if (problems.length > 0) throw new ApplyVerificationError(problems);
  return { engine: engine.name, ...result, alreadyPatched: false };
}
