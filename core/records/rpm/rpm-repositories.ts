import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { FilesystemReader } from '../../filesystem/filesystem';
import { compareRpmVersions, rpmVersionText } from './rpm-version';

/** What the repositories offer, as dnf last fetched their metadata (rpm-metadata, createrepo_c). */
export interface RpmOffers {
  /** Newest version by `name.architecture`. */
  readonly newest: ReadonlyMap<string, string>;
  /** Newest version that a security advisory names, by `name.architecture`. */
  readonly security: ReadonlyMap<string, string>;
  /** Packages that an offered one takes the place of, by name: those older than this version; undefined: every one. */
  readonly obsoleted: ReadonlyMap<string, string | undefined>;
  /** Files that could not be read, and why: what they offer is not known. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
}

const CACHE = '/var/cache/dnf';
const SETTINGS = '/etc/yum.repos.d';
/** Fedora's list unpacks to some 200 MB; what is larger than this is no list. */
const LARGEST_LIST_BYTES = 768 * 1024 * 1024;

/** @param packages keys as `rpmPackages` gives them: keeps only what is asked for */
export async function rpmOffers(image: FilesystemReader, packages?: ReadonlySet<string>): Promise<RpmOffers> {
  const newest = new Map<string, string>();
  const security = new Map<string, string>();
  const obsoleted = new Map<string, string | undefined>();
  const unread: { path: string; reason: string }[] = [];
  const keep = (key: string): boolean => packages === undefined || packages.has(key);
  for (const path of await metadataFiles(image)) {
    const list = unpack(path, await image.readFile(path));
    if ('reason' in list) {
      unread.push({ path, reason: list.reason });
    } else if (path.includes('updateinfo')) {
      for (const { key, version } of securityPackages(list.text))
        if (keep(key)) raise(security, key, version);
    } else {
      for (const offered of offeredPackages(list.text)) {
        if (keep(offered.key)) raise(newest, offered.key, offered.version);
        for (const [name, below] of offered.obsoletes) {
          if (below === undefined) obsoleted.set(name, undefined);
          else if (!obsoleted.has(name) || obsoleted.get(name) !== undefined) raise(obsoleted, name, below);
        }
      }
    }
  }
  return { newest, security, obsoleted, unread };
}

function raise(versions: Map<string, string | undefined>, key: string, version: string): void {
  const known = versions.get(key);
  if (known === undefined || compareRpmVersions(version, known) > 0) versions.set(key, version);
}

/** Lists of packages and of advisories, of the repositories that are enabled: their folders are `<id>-<hash>`. */
async function metadataFiles(image: FilesystemReader): Promise<string[]> {
  if ((await image.lstat(CACHE))?.type !== 'directory') return [];
  const enabled = await enabledRepositories(image);
  const files: string[] = [];
  for (const { name, type } of await image.readdir(CACHE)) {
    const id = /^(.+)-[0-9a-f]{16}$/.exec(name)?.[1];
    if (type !== 'directory' || id === undefined || !enabled.has(id)) continue;
    const folder = `${CACHE}/${name}/repodata`;
    if ((await image.lstat(folder))?.type !== 'directory') continue;
    for (const file of await image.readdir(folder)) {
      if (/(^|-)(primary|updateinfo)\.xml/.test(file.name)) files.push(`${folder}/${file.name}`);
    }
  }
  return files.sort();
}

/** dnf.conf(5): a section for each repository; enabled unless it says otherwise. */
async function enabledRepositories(image: FilesystemReader): Promise<Set<string>> {
  const enabled = new Set<string>();
  if ((await image.lstat(SETTINGS))?.type !== 'directory') return enabled;
  for (const { name, type } of await image.readdir(SETTINGS)) {
    if (!name.endsWith('.repo') || type !== 'file') continue;
    let id: string | undefined;
    for (const line of Buffer.from(await image.readFile(`${SETTINGS}/${name}`))
      .toString('utf8')
      .split('\n')) {
      const section = /^\[(.+)\]\s*$/.exec(line)?.[1];
      if (section !== undefined) enabled.add((id = section));
      else if (id !== undefined && /^enabled\s*=\s*(0|no|false|off)\s*$/i.test(line)) enabled.delete(id);
    }
  }
  return enabled;
}

const unpackers: ReadonlyMap<string, (bytes: Uint8Array) => Uint8Array> = new Map([
  ['xml', (bytes) => bytes],
  ['gz', (bytes) => gunzipSync(bytes, { maxOutputLength: LARGEST_LIST_BYTES })],
  ['zst', (bytes) => zstdDecompressSync(bytes, { maxOutputLength: LARGEST_LIST_BYTES })],
]);

function unpack(path: string, bytes: Uint8Array): { text: string } | { reason: string } {
  const suffix = path.slice(path.lastIndexOf('.') + 1);
  const unpacker = unpackers.get(suffix);
  if (!unpacker) return { reason: `lists packed as .${suffix} are not read` };
  try {
    const plain = unpacker(bytes);
    return { text: Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString('latin1') };
  } catch (cause) {
    return { reason: `it cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

interface Offered {
  readonly key: string;
  readonly version: string;
  readonly obsoletes: readonly (readonly [name: string, below: string | undefined])[];
}

function* offeredPackages(text: string): Generator<Offered> {
  for (const body of elements(text, 'package')) {
    const name = textOf(body, 'name');
    const arch = textOf(body, 'arch');
    const version = versionOf(/<version ([^>]*)\/>/.exec(body)?.[1]);
    if (name === undefined || arch === undefined || arch === 'src' || version === undefined) continue;
    const obsoletes = [...elements(body, 'rpm:obsoletes')].flatMap((list) =>
      [...list.matchAll(/<rpm:entry ([^>]*)\/>/g)].flatMap(([, attributes]) => {
        const obsolete = attributeOf(attributes, 'name');
        // Without `LT` or `LE` it is every version, or one that is not to be told.
        const bounded = /flags="(LT|LE)"/.test(attributes ?? '');
        return obsolete === undefined
          ? []
          : [[obsolete, bounded ? versionOf(attributes) : undefined] as const];
      }),
    );
    yield { key: `${name}.${arch}`, version, obsoletes };
  }
}

function* securityPackages(text: string): Generator<{ key: string; version: string }> {
  for (const update of elements(text, 'update')) {
    if (!/^[^>]*\btype="security"/.test(update)) continue;
    for (const [, attributes] of update.matchAll(/<package ([^>]*)>/g)) {
      const name = attributeOf(attributes, 'name');
      const arch = attributeOf(attributes, 'arch');
      const version = versionOf(attributes, { version: 'version', release: 'release' });
      if (name !== undefined && arch !== undefined && arch !== 'src' && version !== undefined) {
        yield { key: `${name}.${arch}`, version };
      }
    }
  }
}

/** What stands in each element of this name, its attributes first. */
function* elements(text: string, name: string): Generator<string> {
  const open = `<${name}`;
  const close = `</${name}>`;
  for (let at = 0; ;) {
    const start = text.indexOf(open, at);
    if (start < 0) return;
    at = start + open.length;
    // `<updates>` is no `<update>`.
    if (!/[\s>]/.test(text[at] ?? '')) continue;
    const end = text.indexOf(close, at);
    if (end < 0) return;
    yield text.slice(at, end);
    at = end + close.length;
  }
}

function textOf(body: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1];
}

function attributeOf(attributes: string | undefined, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes ?? '')?.[1];
  return value?.replaceAll('&amp;', '&');
}

function versionOf(
  attributes: string | undefined,
  names: { version: string; release: string } = { version: 'ver', release: 'rel' },
): string | undefined {
  const version = attributeOf(attributes, names.version);
  if (version === undefined) return undefined;
  const epoch = Number(attributeOf(attributes, 'epoch') ?? 0);
  return rpmVersionText({ epoch, version, release: attributeOf(attributes, names.release) ?? '' });
}
