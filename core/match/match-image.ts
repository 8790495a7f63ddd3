import type { PackReader } from '../chunk-store/chunk-store';
import { PackedContents } from '../chunk-store/packed-contents';
import type { Image } from '../image/image';
import type { Manifest } from '../manifest/manifest-schema';
import type { RecordCodec } from '../records/record-codec';
import { renderManifest } from '../render/render-manifest';
import type { Differences } from './difference';
import { examineImage } from './examine-image';

export interface MatchOptions {
  /** With the packs at hand, records are merged for trial: a user id that is taken is found before anything is written. */
  readonly packs?: PackReader;
  /** The registry of core/records, unless a test has its own. */
  readonly codecFor?: (path: string) => RecordCodec | undefined;
}

export interface MatchResult extends Differences {
  /** Whether the manifest may be applied: every entry is as it expects, or is already as it leaves it. */
  readonly matched: boolean;
  /** Whether every entry is already as the manifest leaves it: there is nothing to apply. */
  readonly alreadyPatched: boolean;
}

/** Compares an image with what a manifest expects to find. Reads only; this is what decides who is patched with it. */
export async function matchImage(
  manifest: Manifest,
  image: Image,
  { packs, codecFor }: MatchOptions = {},
): Promise<MatchResult> {
  const packed = packs && new PackedContents(packs, manifest.packs);
  const rendered = await renderManifest(manifest, image, packed);
  const { differences, differenceCount, alreadyPatched } = await examineImage(rendered.manifest, image, {
    ...(packed && { contents: rendered.contents }),
    codecFor,
    rendered,
  });
  return { matched: differenceCount === 0, alreadyPatched, differences, differenceCount };
}
