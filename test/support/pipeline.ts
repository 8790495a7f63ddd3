import { DirectEngine } from '../../core/apply/direct-engine';
import { applyManifest, type ApplyResult } from '../../core/apply/apply-manifest';
import { type Capture, capture, type CaptureRequest } from '../../core/capture/capture';
import { MemoryPackStore } from '../../core/chunk-store/memory-pack-store';
import { storeContents } from '../../core/chunk-store/store-contents';
import type { Image, WritableImage } from '../../core/image/image';
import { parseManifest } from '../../core/manifest/parse-manifest';
import { serializeManifest } from '../../core/manifest/serialize-manifest';
import type { Manifest } from '../../core/manifest/manifest-schema';
import { lineCodecFor } from './line-records';

export interface CapturedUpdate {
  readonly manifest: Manifest;
  readonly packs: MemoryPackStore;
  /** Whether a second machine told anything. */
  readonly witness?: Capture['witness'];
  readonly earlier?: Capture['earlier'];
}

/** Captures, stores contents and manifest, and reads the manifest back as the next step would. */
export async function captureUpdate(
  before: Image,
  after: Image,
  request: Partial<CaptureRequest> = {},
): Promise<CapturedUpdate> {
  const captured = await capture({
    before,
    after,
    update: { name: 'test', kind: 'script', commands: ['true'] },
    run: 'run-1',
    classId: '0123456789ab',
    representative: { instanceId: 'i-representative', kind: 'live', snapshots: { before: [], after: [] } },
    capturedAt: new Date(0),
    codecFor: lineCodecFor,
    ...request,
  });
  const packs = new MemoryPackStore();
  const index = await storeContents(captured.contents(), packs);
  const { bytes, digest } = serializeManifest({ ...captured.manifest, packs: index });
  const { witness, earlier } = captured;
  const told = { ...(witness && { witness }), ...(earlier && { earlier }) };
  return { manifest: parseManifest(bytes, digest), packs, ...told };
}

export function applyCaptured(
  { manifest, packs }: CapturedUpdate,
  image: WritableImage,
): Promise<ApplyResult> {
  return applyManifest({ manifest, image, packs, engine: new DirectEngine(), codecFor: lineCodecFor });
}
