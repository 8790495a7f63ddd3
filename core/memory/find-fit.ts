import type { Image } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import { matchImage, type MatchOptions } from '../match/match-image';
import type { RememberedFit, RememberedManifest } from './remembered-manifest';

export interface FitSearch {
  readonly fits?: RememberedFit;
  /** How far the image is from each that was tried and does not fit. */
  readonly misses: readonly { readonly manifestDigest: string; readonly differenceCount: number }[];
}

/**
 * The first of these manifests that the image matches: by what the update reads there and by what it changes. Manifests
 * are read when their turn comes; one that is not there any more fits nobody.
 */
export async function findFit(
  image: Image,
  candidates: readonly RememberedManifest[],
  readManifest: (candidate: RememberedManifest) => Promise<Manifest | undefined>,
  options: MatchOptions = {},
): Promise<FitSearch> {
  const misses: FitSearch['misses'][number][] = [];
  for (const candidate of candidates) {
    const manifest = await readManifest(candidate);
    if (manifest === undefined) continue;
    const { matched, differenceCount } = await matchImage(manifest, image, options);
    const { manifestKey, manifestDigest, capturedAt, run } = candidate;
    if (matched) {
      const representative = manifest.representative.instanceId;
      return { fits: { manifestKey, manifestDigest, capturedAt, run, representative }, misses };
    }
    misses.push({ manifestDigest, differenceCount });
  }
  return { misses };
}
