import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { FilesystemReader } from '../filesystem/filesystem';
import { aptArchives, type AptArchive, linkedLists } from './apt-archives';
import { compareDebianVersions } from './debian-version';
import { unpackLz4 } from './lz4-frame';
import { splitStanzas } from './stanzas';
import { keyText } from './text-record-file';

/** A version of a package that the image's own apt lists offer. */
export interface AptCandidate {
  readonly version: string;
  readonly archive: AptArchive;
  /** Ubuntu gives some updates to a growing part of all machines: the percentage it is at. */
  readonly phasedPercentage: number | undefined;
}

export interface AptCandidates {
  /** By `name:architecture`: what each archive offers, newest first. */
  readonly byPackage: ReadonlyMap<string, readonly AptCandidate[]>;
  /** Lists that could not be read, and why: what they offer is not known. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
}

/** Debian's main list has 50 MB; a list that unpacks to more than this is no list. */
const LARGEST_LIST_BYTES = 512 * 1024 * 1024;

/**
 * Reads /var/lib/apt/lists as the machine last fetched them. Lists are large: `packages` (keys as `debianPackages` gives
 * them) keeps only what is asked for.
 */
export async function aptCandidates(
  image: FilesystemReader,
  packages?: ReadonlySet<string>,
): Promise<AptCandidates> {
  const byPackage = new Map<string, AptCandidate[]>();
  const unread: { path: string; reason: string }[] = [];
  for (const path of await linkedLists(image)) {
    unread.push({ path, reason: 'it is a link to the index of a source on a disk' });
  }
  const archives = await aptArchives(image);
  if (archives.length === 0 && unread.length === 0) {
    unread.push({ path: '/var/lib/apt/lists', reason: 'there are no lists in it' });
  }
  for (const { path, archive } of archives) {
    const list = unpack(path, await image.readFile(path));
    if ('reason' in list) {
      unread.push({ path, reason: list.reason });
      continue;
    }
    for (const { key, version, phasedPercentage } of listedPackages(list.text)) {
      if (packages && !packages.has(key)) continue;
      const known = byPackage.get(key);
      const candidate = { version, archive, phasedPercentage };
      if (known) known.push(candidate);
      else byPackage.set(key, [candidate]);
    }
  }
  for (const candidates of byPackage.values()) {
    candidates.sort((a, b) => compareDebianVersions(b.version, a.version));
  }
  return { byPackage, unread };
}

/**
 * The version to which an upgrade would take a package that is installed in `installedVersion`, or undefined when none
 * is due (apt_preferences(5) without pins). `security`: from security archives only.
 */
export function dueCandidate(
  installedVersion: string,
  candidates: readonly AptCandidate[] | undefined,
  { security }: { security: boolean },
): AptCandidate | undefined {
  const newer = (candidates ?? []).filter(
    ({ version, archive }) =>
      archive.automatic !== 'never' &&
      (!security || archive.security) &&
      compareDebianVersions(version, installedVersion) > 0,
  );
  return newer.find(({ archive }) => archive.automatic === 'always') ?? newer[0];
}

/** How apt may keep a list: plain, or packed (apt.conf(5), Acquire::GzipIndexes). */
const unpackers: ReadonlyMap<string, (bytes: Uint8Array) => Uint8Array> = new Map([
  ['', (bytes) => bytes],
  ['gz', (bytes) => gunzipSync(bytes, { maxOutputLength: LARGEST_LIST_BYTES })],
  ['zst', (bytes) => zstdDecompressSync(bytes, { maxOutputLength: LARGEST_LIST_BYTES })],
  ['lz4', (bytes) => unpackLz4(bytes, LARGEST_LIST_BYTES)],
]);

function unpack(path: string, bytes: Uint8Array): { text: string } | { reason: string } {
  const suffix = /\.([a-z0-9]+)$/.exec(path)?.[1] ?? '';
  const unpacker = unpackers.get(suffix);
  if (!unpacker) return { reason: `lists packed as .${suffix} are not read` };
  try {
    const plain = unpacker(bytes);
    return { text: Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString('latin1') };
  } catch (cause) {
    return { reason: `it cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

function* listedPackages(
  text: string,
): Generator<{ key: string; version: string; phasedPercentage: number | undefined }> {
  for (const { body } of splitStanzas(text)) {
    const name = fieldOf(body, 'Package');
    const version = fieldOf(body, 'Version');
    const architecture = fieldOf(body, 'Architecture');
    if (!name || !version || !architecture) continue;
    const phased = fieldOf(body, 'Phased-Update-Percentage');
    yield {
      key: keyText(`${name}:${architecture}`),
      version,
      phasedPercentage: phased === undefined ? undefined : Number.parseInt(phased, 10),
    };
  }
}

/** Faster than parsing the whole stanza: a list has 60,000 of them. */
function fieldOf(stanza: string, field: string): string | undefined {
  const label = `${field}:`;
  const at = stanza.startsWith(label) ? 0 : stanza.indexOf(`\n${label}`);
  if (at < 0) return undefined;
  const start = stanza.indexOf(':', at) + 1;
  const end = stanza.indexOf('\n', start);
  return stanza.slice(start, end < 0 ? undefined : end).trim();
}
