import type { Digest } from '../chunk-store/chunk-store';
import type { Image } from '../image/image';
import type { Operation } from '../manifest/manifest-schema';

/** Private keys are small; a larger file is no key. */
const LARGEST_KEY_BYTES = 256 * 1024;

/** RFC 7468 and its forerunners, OpenSSH's PROTOCOL.key, RFC 9580, PuTTY, wg(8), age(1): a header at the start of a line, and content. */
const PRIVATE_KEYS: readonly { readonly header: RegExp; readonly what: string }[] = [
  {
    header:
      /^-----BEGIN (?:(?:RSA|DSA|EC|OPENSSH|ENCRYPTED|ANY) )?PRIVATE KEY-----\r?\n(?:[A-Za-z0-9+/=]{16}|Proc-Type:)/m,
    what: 'a private key',
  },
  { header: /^-----BEGIN PGP PRIVATE KEY BLOCK-----\r?\n/m, what: 'a PGP private key' },
  { header: /^PuTTY-User-Key-File-[23]: /, what: 'a private key' },
  {
    header: /^[ \t]*PrivateKey[ \t]*=[ \t]*[A-Za-z0-9+/]{43}=[ \t]*\r?$/m,
    what: 'a key of WireGuard',
  },
  { header: /^AGE-SECRET-KEY-1[0-9A-Z]{50,}/m, what: 'a private key' },
];

/** Packages bring what stands here; a key among it (examples, tests) is the same on every machine and no secret. */
const BROUGHT_BY_PACKAGES = /^\/usr\/(?!local\/)/;

/** What kind of secret the bytes of a file are; undefined for all that is none. */
export function secretIn(path: string, bytes: Uint8Array): string | undefined {
  if (bytes.length > LARGEST_KEY_BYTES || BROUGHT_BY_PACKAGES.test(path)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return PRIVATE_KEYS.find(({ header }) => header.test(text))?.what;
}

export interface WithoutSecrets {
  /** None of them puts a secret. */
  readonly operations: readonly Operation[];
  /** Why no machine may be patched by the operations that are left. */
  readonly onlyOnline: readonly string[];
}

/**
 * Takes out of the operations those that would copy a private key, recognised by its content, to other machines and into
 * the bucket. What is left is no whole update.
 *
 * @param kept contents that are at hand
 */
export async function withoutSecrets(
  operations: readonly Operation[],
  after: Image,
  kept: { get(digest: Digest): Uint8Array | undefined },
): Promise<WithoutSecrets> {
  const secrets = new Map<string, string>();
  for (const operation of operations) {
    if (operation.kind !== 'put-file' || operation.sizeBytes > LARGEST_KEY_BYTES) continue;
    const { path, content } = operation;
    if (BROUGHT_BY_PACKAGES.test(path)) continue;
    const what = secretIn(path, kept.get(content) ?? (await after.readFile(path)));
    if (what !== undefined) secrets.set(path, what);
  }
  return {
    operations: operations.filter(
      (operation) =>
        !secrets.has(operation.path) &&
        !(operation.kind === 'make-hard-link' && secrets.has(operation.existingPath)),
    ),
    onlyOnline: [...secrets].map(
      ([path, what]) =>
        `the update makes ${path}: ${what}, which is never copied from one machine to another`,
    ),
  };
}
