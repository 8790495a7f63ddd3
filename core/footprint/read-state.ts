import { isIsolationPath } from '../clone/isolation-paths';
import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import type { Stat } from '../filesystem/filesystem';
import { followLinks } from '../image/follow-links';
import type { Image } from '../image/image';
import { SymlinkLoopError } from '../image/image-errors';
import type { ManifestRead } from '../manifest/read-schema';
import { installedPackages, type PackageInPlace, packageRules } from '../records/installed-packages';
import { readRecordFile } from '../records/read-record-file';
import type { RecordCodec, RecordFile } from '../records/record-codec';
import { RecordFormatError } from '../records/record-errors';
import { RPMDB_PATHS } from '../records/rpm/rpmdb';
import { neutralise } from '../variation/neutral';
import { neutralEntryDigest } from '../variation/neutral-entry';
import type { Variation } from '../variation/variation';
import { concernedKeys } from './concerned-records';
import type { Effects } from './effects';
import { ignoredRead } from './read-rules';
import { contentFacts, recordFacts, wholeRecordFacts } from './record-facts';

/** What was asked of one entry. */
export type ReadQuestion = Pick<ManifestRead, 'path' | 'kind' | 'record' | 'asked'>;
/** What the answer is on one machine. */
export interface ReadState {
  readonly state: Digest | 'absent';
  /** With the machine's own values left in, where there are any. */
  readonly plain?: Digest;
  readonly names?: string[];
}

/**
 * Whether two machines gave the same answer: the same but for each one's own values, or the very same, where a machine is
 * called by a word that stands there by chance.
 */
export function isSameAnswer(
  left: { readonly state: string; readonly plain?: string },
  right: { readonly state: string; readonly plain?: string },
): boolean {
  return left.state === right.state || (left.plain ?? left.state) === (right.plain ?? right.state);
}

/**
 * Answers on one machine what an update asked on another. The representative's answers are taken in the same way as
 * everyone's, and those to what the update itself writes are the same before it and after it.
 */
export class ReadStates {
  private readonly recordFiles = new Map<string, Promise<Table | undefined>>();
  private packages: Promise<ReadonlyMap<string, PackageInPlace>> | undefined;

  constructor(
    private readonly image: Image,
    private readonly variation: Variation,
    private readonly effects: Effects,
    private readonly codecFor: (path: string) => RecordCodec | undefined,
    private readonly updateKind: string,
  ) {}

  async stateOf({ path, kind, record, asked }: ReadQuestion): Promise<ReadState> {
    switch (kind) {
      case 'entry':
        return this.entry(path, 'read');
      case 'metadata':
        return this.entry(path, 'skip');
      case 'type':
        return { state: typeState(await this.followed(path)) };
      case 'names':
        return this.names(path, asked);
      case 'listing':
        return this.listing(path);
      case 'record':
        return this.record(path, record ?? '');
      case 'concerned':
        return this.records(path, (keys) => concernedKeys(path, keys, this.effects));
      case 'records': {
        const isWhole = asked === undefined;
        return this.records(path, ({ records }) => keysAsked(path, [...records.keys()], asked), isWhole);
      }
      case 'package':
        return { state: packageState((await this.installed()).get(record ?? '')) };
      case 'packages':
        return this.allPackages();
    }
  }

  private async entry(path: string, content: 'read' | 'skip'): Promise<ReadState> {
    const stat = await this.image.lstat(path);
    if (stat === undefined) return ABSENT;
    const factsOf =
      content === 'read' && stat.type === 'file'
        ? contentFacts(path, stat.sizeBytes, this.updateKind)
        : undefined;
    if (factsOf !== undefined) {
      const facts = factsOf(Buffer.from(await this.image.readFile(path)).toString('latin1'));
      return facts === '' ? ABSENT : { state: digestOfJson(['facts', facts]) };
    }
    const { digest, found } = await neutralEntryDigest(this.image, path, stat, this.variation, { content });
    if (found.length === 0) return { state: digest };
    const asItIs = { ...this.variation, points: [] };
    return {
      state: digest,
      plain: (await neutralEntryDigest(this.image, path, stat, asItIs, { content })).digest,
    };
  }

  private async followed(path: string): Promise<Stat | undefined> {
    try {
      const real = await followLinks(this.image, path);
      return real === undefined ? undefined : await this.image.lstat(real);
    } catch (error) {
      if (error instanceof SymlinkLoopError) return undefined;
      throw error;
    }
  }

  private async namesIn(path: string): Promise<string[] | undefined> {
    if ((await this.image.lstat(path))?.type !== 'directory') return undefined;
    const written = this.effects.names.get(path);
    const prefix = path === '/' ? '/' : `${path}/`;
    return (await this.image.readdir(path))
      .map(({ name }) => name)
      .filter((name) => written?.has(name) !== true)
      .filter(
        (name) =>
          ignoredRead(prefix + name, this.updateKind) === undefined && !isIsolationPath(prefix + name),
      )
      .sort();
  }

  private async names(path: string, asked?: readonly string[]): Promise<ReadState> {
    const all = await this.namesIn(path);
    const wanted = asked && new Set(asked);
    const names = wanted === undefined ? all : all?.filter((name) => wanted.has(name));
    // To who asks for certain names, a directory without them is as good as none.
    if (names === undefined || (asked !== undefined && names.length === 0)) return ABSENT;
    return { state: digestOfJson(names), names };
  }

  private async listing(path: string): Promise<ReadState> {
    const names = await this.namesIn(path);
    if (names === undefined) return ABSENT;
    const { users, groups } = this.variation;
    const facts: unknown[] = [];
    for (const name of names) {
      const stat = await this.image.lstat(path === '/' ? `/${name}` : `${path}/${name}`);
      if (stat === undefined) continue;
      const { type, mode, uid, gid } = stat;
      facts.push([name, type, mode, users.nameOf.get(uid) ?? uid, groups.nameOf.get(gid) ?? gid]);
    }
    return { state: digestOfJson(facts), names };
  }

  private async record(path: string, key: string): Promise<ReadState> {
    const bytes = (await this.recordFile(path))?.records.get(key);
    if (bytes === undefined) return ABSENT;
    const { neutral, plain } = this.recordDigests(path, bytes);
    return { state: neutral, ...(plain !== neutral && { plain }) };
  }

  private async records(
    path: string,
    keysOf: (file: Table) => Iterable<string>,
    isWhole = false,
  ): Promise<ReadState> {
    const file = await this.recordFile(path);
    const put = this.effects.records.get(path);
    const keys = file === undefined ? [] : [...keysOf(file)].filter((key) => put?.has(key) !== true).sort();
    // A file without any and one that is not there tell the same.
    if (file === undefined || keys.length === 0) return ABSENT;
    const facts = keys.map((key) => ({ key, ...this.recordDigests(path, file.records.get(key)!, isWhole) }));
    const state = digestOfJson(facts.map(({ key, neutral }) => [key, neutral]));
    const plain = digestOfJson(facts.map(({ key, plain: asItIs }) => [key, asItIs]));
    return { state, ...(plain !== state && { plain }), names: keys };
  }

  private recordDigests(
    path: string,
    bytes: Uint8Array,
    isWhole = false,
  ): { neutral: Digest; plain: Digest } {
    const facts = isWhole ? wholeRecordFacts(path, bytes, this.variation) : recordFacts(path, bytes);
    const plain = digestOf(facts);
    const { bytes: neutral, found } = neutralise(path, facts, this.variation.points);
    return { plain, neutral: found.length === 0 ? plain : digestOf(neutral) };
  }

  /** Read once for all questions; undefined for what is not there or not of its format. */
  private recordFile(path: string): Promise<Table | undefined> {
    const known = this.recordFiles.get(path);
    if (known !== undefined) return known;
    const file = this.readRecords(path);
    this.recordFiles.set(path, file);
    return file;
  }

  private async readRecords(path: string): Promise<Table | undefined> {
    const codec = this.codecFor(path);
    if (codec === undefined || (await this.image.lstat(path))?.type !== 'file') return undefined;
    try {
      // Which versions there are is all that is asked of it, and to take the whole of it apart takes long.
      if (RPMDB_PATHS.includes(path)) return { records: await this.installedVersions() };
      return await readRecordFile(this.image, path, codec);
    } catch (error) {
      if (error instanceof RecordFormatError) return undefined;
      throw error;
    }
  }

  private installed(): Promise<ReadonlyMap<string, PackageInPlace>> {
    return (this.packages ??= installedPackages(this.image));
  }

  private async installedVersions(): Promise<Map<string, Uint8Array>> {
    const installed = await this.installed();
    return new Map([...installed].map(([key, { versions }]) => [key, Buffer.from(versions)]));
  }

  private async allPackages(): Promise<ReadState> {
    const installed = await this.installed();
    const facts = [...installed]
      .filter(([key]) => !this.effects.packages.has(key))
      .map(([key, { versions, held }]) => `${key} ${versions}${held ? ' held' : ''}`)
      .sort();
    return { state: digestOfJson(facts), names: facts };
  }
}

type Table = Pick<RecordFile, 'records'>;

const ABSENT: ReadState = { state: 'absent' };

/** Packages are asked for without their architecture. */
function keysAsked(
  path: string,
  keys: readonly string[],
  asked: readonly string[] | undefined,
): readonly string[] {
  if (asked === undefined) return keys;
  const names = new Set(asked);
  const system = (['dpkg', 'rpm'] as const).find((one) => packageRules(one).recordPaths.includes(path));
  const nameOf = system === undefined ? (key: string) => key : packageRules(system).nameOf;
  return keys.filter((key) => names.has(nameOf(key)));
}

function typeState(stat: Stat | undefined): Digest | 'absent' {
  return stat === undefined
    ? 'absent'
    : digestOfJson([stat.type, stat.type === 'file' && (stat.mode & 0o111) !== 0]);
}

/**
 * A revision of a distribution mends a program and does not change what it does: so the version counts up to it
 * (deb-version(7), rpm-version(7)).
 */
function packageState(found: PackageInPlace | undefined): Digest | 'absent' {
  return found === undefined ? 'absent' : digestOfJson([found.version.replace(/-[^-]*$/, '')]);
}

function digestOfJson(value: unknown): Digest {
  return digestOf(new TextEncoder().encode(JSON.stringify(value)));
}
