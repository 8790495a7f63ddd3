import type { Digest } from './chunk-store';

/** Contents by digest: those of a manifest's packs, or those with one machine's own values in them. */
export interface ContentSource {
  /** @throws ContentMissingError, and what the store throws */
  get(digest: Digest): Promise<Uint8Array>;
}
