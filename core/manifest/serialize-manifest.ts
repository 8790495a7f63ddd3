import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import type { Manifest } from './manifest-schema';

/** A manifest as it is stored, and the digest by which the workflow carries it. */
export interface SerializedManifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
}

/** Canonical JSON: keys sorted, no white space, one newline at the end. Equal manifests give equal bytes. */
export function serializeManifest(manifest: Manifest): SerializedManifest {
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, sortedKeys)}\n`);
  return { bytes, digest: digestOf(bytes) };
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  // Without a prototype, so that a key `__proto__` stays a key.
  const sorted: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(value).sort()) sorted[key] = (value as Record<string, unknown>)[key];
  return sorted;
}
