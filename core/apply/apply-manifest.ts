import type { PackReader } from '../chunk-store/chunk-store';
import { PackedContents } from '../chunk-store/packed-contents';
import type { LinuxKernel } from '../filesystem/linux-kernel';
import type { WritableImage } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import { examineImage } from '../match/examine-image';
import { verifyRendered } from '../match/verify-manifest';
import type { RecordCodec } from '../records/record-codec';
import { codecFor as registeredCodecFor } from '../records/registry';
import { renderManifest } from '../render/render-manifest';
import type { ApplyEngine, WritableMount } from './apply-engine';
import {
  ApplyVerificationError,
  describeDifference,
  KernelMissingError,
  ManifestMismatchError,
} from './apply-errors';
import { chooseEngine, touchedMounts } from './choose-engine';
import { checkFreeSpace } from './free-space';
import { kernelMount } from './kernel-engine';
import { resolveOperations } from './resolve-operations';

export interface ApplyRequest {
  readonly manifest: Manifest;
  readonly image: WritableImage;
  readonly packs: PackReader;
  /** Performs what our own writers do not. */
  readonly kernel?: LinuxKernel;
  /** Instead of the one that fits best: `direct` where our own writers can, else `kernel`. */
  readonly engine?: ApplyEngine;
  /** `kernel`: whatever engine wrote, the kernel mounts the result and its own check judges it. */
  readonly verify?: 'digests' | 'kernel';
  /** The registry of core/records, unless a test has its own. */
  readonly codecFor?: (path: string) => RecordCodec | undefined;
}

export interface ApplyResult {
  /** Undefined when there was nothing to do. */
  readonly engine?: ApplyEngine['name'];
  /** Operations performed; those whose path was already as it should be are not among them. */
  readonly operations: number;
  readonly contentBytes: number;
  /** True when there was nothing to do: nothing was written. */
  readonly alreadyPatched: boolean;
}

/**
 * Performs a manifest on the overlay of an image. All or nothing: first every `before` is checked, then all operations
 * are performed, then every `after` is read again and each filesystem that was written is checked. The direct engine
 * performs them where it can, the kernel where it must. On any error the
 * caller drops the overlay.
 *
 * @throws ManifestMismatchError, NotEnoughSpaceError (nothing was written)
 * @throws ApplyError, ApplyVerificationError (drop the overlay), and what the chunk store throws
 */
export async function applyManifest(request: ApplyRequest): Promise<ApplyResult> {
  const { image, packs, kernel, codecFor = registeredCodecFor } = request;
  const packed = new PackedContents(packs, request.manifest.packs);
  const rendered = await renderManifest(request.manifest, image, packed);
  const { manifest, contents } = rendered;
  const examination = await examineImage(manifest, image, { contents, codecFor, rendered });
  if (examination.differenceCount > 0) throw new ManifestMismatchError(examination);
  if (examination.alreadyPatched) return { operations: 0, contentBytes: 0, alreadyPatched: true };
  const { alreadyDone } = examination;
  const mounts = touchedMounts(
    image.writableMounts,
    manifest.operations.map(({ path }) => path),
  );
  const engine = request.engine ?? chooseEngine(mounts, kernel);
  await checkFreeSpace(manifest, image, alreadyDone);
  const operations = resolveOperations({ manifest, image, contents, alreadyDone, codecFor });
  const result = await engine.perform(mounts, operations);
  const problems = [
    ...(await readAgain(manifest, image, engine, codecFor)),
    ...(engine.name === 'direct' ? await checkOwnWrites(mounts) : []),
    ...(request.verify === 'kernel' ? await checkByKernel(mounts, kernel) : []),
  ];
  if (problems.length > 0) throw new ApplyVerificationError(problems);
  return { engine: engine.name, ...result, alreadyPatched: false };
}

/** What the kernel wrote is not in the caches of the image's readers. */
async function readAgain(
  manifest: Manifest,
  image: WritableImage,
  engine: ApplyEngine,
  codecFor: (path: string) => RecordCodec | undefined,
): Promise<string[]> {
  if (engine.name === 'direct')
    return (await verifyRendered(manifest, image, { codecFor })).differences.map(describeDifference);
  const written = await image.reopen();
  try {
    return (await verifyRendered(manifest, written, { codecFor })).differences.map(describeDifference);
  } finally {
    await written.close();
  }
}

async function checkOwnWrites(mounts: readonly WritableMount[]): Promise<string[]> {
  const findings: string[] = [];
  for (const { writer } of mounts) findings.push(...((await writer?.check()) ?? []));
  return findings;
}

/** @throws KernelMissingError */
async function checkByKernel(
  mounts: readonly WritableMount[],
  kernel: LinuxKernel | undefined,
): Promise<readonly string[]> {
  if (kernel === undefined) throw new KernelMissingError();
  return kernel.verify(mounts.map(kernelMount));
}
