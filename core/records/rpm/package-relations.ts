import { RpmHeader, TAG } from './rpm-header';
import { compareSegments, parseRpmVersion, rpmVersionText } from './rpm-version';

/** One side of a relation between packages: `name >= version`. */
interface Capability {
  readonly name: string;
  readonly flags: number;
  readonly version: string;
}

/** Tags of names, flags and versions (rpmtag.h). */
const KINDS = {
  provides: [1047, 1112, 1113],
  requires: [1049, 1048, 1050],
  conflicts: [1054, 1053, 1055],
  obsoletes: [1090, 1114, 1115],
  recommends: [5046, 5048, 5047],
} as const;

/** rpmds.h */
const LESS = 2;
const GREATER = 4;
const EQUAL = 8;
const ANY_VERSION = LESS | GREATER | EQUAL;

/** A package of a machine with what it says of others. */
export interface RelatedRpm {
  readonly key: string;
  readonly header: Uint8Array;
}

/** All packages of a machine, to ask whether each has what it needs. */
export class RpmRelations {
  private readonly headers: readonly { readonly key: string; readonly header: RpmHeader }[];
  private readonly provided = new Map<string, { readonly key: string; readonly by: Capability }[]>();
  private files: Set<string> | undefined;

  constructor(packages: readonly RelatedRpm[], codec: string) {
    this.headers = packages.map(({ key, header }) => ({ key, header: new RpmHeader(header, codec) }));
    for (const { key, header } of this.headers) {
      for (const by of capabilities(header, 'provides')) {
        const known = this.provided.get(by.name);
        if (known) known.push({ key, by });
        else this.provided.set(by.name, [{ key, by }]);
      }
    }
  }

  /** What is wrong between packages, in words: a requirement that nothing meets, two packages that exclude each other. */
  *problems(): Generator<{ readonly key: string; readonly problem: string }> {
    for (const { key, header } of this.headers) {
      for (const wanted of capabilities(header, 'requires')) {
        if (!this.isMet(wanted)) yield { key, problem: `nothing provides ${textOf(wanted)}` };
      }
      for (const refused of capabilities(header, 'conflicts')) {
        const other = this.othersProviding(refused, key)[0];
        if (other !== undefined) yield { key, problem: `it conflicts with ${other}` };
      }
      for (const replaced of capabilities(header, 'obsoletes')) {
        const other = this.headers.find((one) => one.key !== key && isNamed(one.header, replaced));
        if (other !== undefined) yield { key, problem: `it takes the place of ${other.key}` };
      }
    }
  }

  /**
   * What of other packages takes part when this one is installed: triggers on it or on its files, and recommendations
   * that stay open.
   */
  around(key: string, bytes: Uint8Array): string[] {
    const own = this.headerOf(bytes);
    if (own === undefined) return [];
    const open = capabilities(own, 'recommends').filter((wanted) => !this.isMet(wanted));
    return [
      ...this.triggeredBy(key, bytes).map((other) => `trigger of ${other}`),
      ...open.map((wanted) => `without ${textOf(wanted)}`),
    ].sort();
  }

  /** Keys of other packages that have triggers on this one or on its files; a key for each version of them. */
  triggeredBy(key: string, bytes: Uint8Array): string[] {
    const own = this.headerOf(bytes);
    if (own === undefined) return [];
    const name = own.text(TAG.name);
    const files = own.files();
    return this.headers
      .filter(
        ({ key: other, header }) =>
          other !== key &&
          (header.texts(TAG.triggers).some((on) => on === name) ||
            [TAG.fileTriggers, TAG.transactionFileTriggers].some((tag) =>
              header.texts(tag).some((prefix) => files.some((file) => file.startsWith(prefix))),
            )),
      )
      .map(({ key: other }) => other);
  }

  private headerOf(bytes: Uint8Array): RpmHeader | undefined {
    return this.headers.find((one) => one.header.bytes === bytes)?.header;
  }

  private isMet(wanted: Capability): boolean {
    // What rpm itself can do, and expressions over packages, which are not computed.
    if (/^rpmlib\(|^\(/.test(wanted.name)) return true;
    if ((this.provided.get(wanted.name) ?? []).some(({ by }) => overlaps(by, wanted))) return true;
    if (!wanted.name.startsWith('/')) return false;
    this.files ??= new Set(this.headers.flatMap(({ header }) => header.files()));
    return this.files.has(wanted.name);
  }

  private othersProviding(refused: Capability, key: string): string[] {
    return (this.provided.get(refused.name) ?? [])
      .filter(({ key: other, by }) => other !== key && overlaps(by, refused))
      .map(({ key: other }) => other);
  }
}

function capabilities(header: RpmHeader, kind: keyof typeof KINDS): Capability[] {
  const [names, flags, versions] = KINDS[kind];
  const flagsOf = header.numbers(flags);
  const versionsOf = header.texts(versions);
  return header.texts(names).map((name, index) => ({
    name,
    flags: (flagsOf[index] ?? 0) & ANY_VERSION,
    version: versionsOf[index] ?? '',
  }));
}

/** Obsoletes are of names, not of what is provided. */
function isNamed(header: RpmHeader, wanted: Capability): boolean {
  if (header.text(TAG.name) !== wanted.name) return false;
  const version = rpmVersionText({
    epoch: header.number(TAG.epoch) ?? 0,
    version: header.text(TAG.version) ?? '',
    release: header.text(TAG.release) ?? '',
  });
  return overlaps({ name: wanted.name, flags: EQUAL, version }, wanted);
}

/** Whether some version is in both ranges, as rpm has it (rpmdsCompare). */
function overlaps(left: Capability, right: Capability): boolean {
  if (left.flags === 0 || right.flags === 0 || left.version === '' || right.version === '') return true;
  const order = compareGiven(left.version, right.version);
  if (order < 0) return (left.flags & GREATER) !== 0 || (right.flags & LESS) !== 0;
  if (order > 0) return (left.flags & LESS) !== 0 || (right.flags & GREATER) !== 0;
  return (left.flags & right.flags) !== 0;
}

/** Releases count where both have one. */
function compareGiven(left: string, right: string): number {
  const a = parseRpmVersion(left);
  const b = parseRpmVersion(right);
  return (
    a.epoch - b.epoch ||
    compareSegments(a.version, b.version) ||
    (a.release === '' || b.release === '' ? 0 : compareSegments(a.release, b.release))
  );
}

function textOf({ name, flags, version }: Capability): string {
  if (flags === 0) return name;
  const sign = `${flags & LESS ? '<' : ''}${flags & GREATER ? '>' : ''}${flags & EQUAL ? '=' : ''}`;
  return `${name} ${sign} ${version}`;
}
