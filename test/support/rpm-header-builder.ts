import { TAG } from '../../core/records/rpm/rpm-header';

type TagValue = readonly string[] | readonly number[] | string | Uint8Array;

/** What a made-up package says of itself, by tag: texts, numbers, and numbers of a byte each. */
export type HeaderTags = ReadonlyMap<number, TagValue>;

const CHAR = 1;
const INT32 = 4;
const STRING = 6;
const STRING_ARRAY = 8;

/** The bytes of a package header as rpm lays it out. */
export function rpmHeader(tags: HeaderTags): Uint8Array {
  const entries: number[][] = [];
  let data = Buffer.alloc(0);
  for (const [tag, value] of tags) {
    if (value instanceof Uint8Array) {
      entries.push([tag, CHAR, data.length, value.length]);
      data = Buffer.concat([data, value]);
      continue;
    }
    const isNumbers = typeof value !== 'string' && typeof value[0] === 'number';
    if (isNumbers) data = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
    const texts = typeof value === 'string' ? [value] : isNumbers ? [] : (value as readonly string[]);
    const type = typeof value === 'string' ? STRING : isNumbers ? INT32 : STRING_ARRAY;
    entries.push([tag, type, data.length, typeof value === 'string' ? 1 : value.length]);
    data = Buffer.concat([data, ...texts.map((text) => Buffer.from(`${text}\0`))]);
    if (isNumbers) {
      const numbers = Buffer.alloc(value.length * 4);
      (value as readonly number[]).forEach((number, index) => numbers.writeUInt32BE(number, index * 4));
      data = Buffer.concat([data, numbers]);
    }
  }
  const head = Buffer.alloc(8 + entries.length * 16);
  head.writeUInt32BE(entries.length, 0);
  head.writeUInt32BE(data.length, 4);
  entries.flat().forEach((number, index) => head.writeUInt32BE(number, 8 + index * 4));
  return new Uint8Array(Buffer.concat([head, data]));
}

/** `name`, `name = 1`, `name >= 2-1`. */
export type RelationText = string;

export interface MadeUpRpm {
  readonly name: string;
  readonly version?: string;
  readonly arch?: string;
  readonly provides?: readonly RelationText[];
  readonly requires?: readonly RelationText[];
  readonly conflicts?: readonly RelationText[];
  readonly obsoletes?: readonly RelationText[];
  readonly recommends?: readonly RelationText[];
  readonly files?: readonly string[];
  /** Of its files, those that are more than that. */
  readonly config?: readonly string[];
  readonly ghost?: readonly string[];
  readonly unverified?: readonly string[];
  readonly notInstalled?: readonly string[];
  readonly triggers?: readonly string[];
  readonly fileTriggers?: readonly string[];
  /** By tag. */
  readonly scripts?: ReadonlyMap<number, string>;
  /** Other tags, which take the place of those of the same number. */
  readonly more?: HeaderTags;
}

/** Names, flags and versions of each kind of relation (rpmtag.h). */
const RELATIONS = {
  provides: [1047, 1112, 1113],
  requires: [1049, 1048, 1050],
  conflicts: [1054, 1053, 1055],
  obsoletes: [1090, 1114, 1115],
  recommends: [5046, 5048, 5047],
} as const;

/** rpmfiles.h */
const CONFIG = 1;
const GHOST = 64;
const VERIFY_DIGEST = 1;
const NOT_INSTALLED = 2;

const FLAGS: Readonly<Record<string, number>> = { '<': 2, '>': 4, '=': 8, '<=': 10, '>=': 12 };

/** A package that provides its own name in its version, as rpmbuild has it. */
export function madeUpRpm({ version = '1', files = [], ...rpm }: MadeUpRpm): {
  key: string;
  header: Uint8Array;
} {
  const tags = new Map<number, TagValue>([
    [TAG.name, rpm.name],
    [TAG.version, version],
    [TAG.release, '1'],
    [TAG.arch, rpm.arch ?? 'noarch'],
  ]);
  for (const [kind, [names, flags, versions]] of Object.entries(RELATIONS)) {
    const own = kind === 'provides' ? [`${rpm.name} = ${version}-1`] : [];
    const all = [...own, ...(rpm[kind as keyof typeof RELATIONS] ?? [])].map((text) => text.split(' '));
    if (all.length === 0) continue;
    tags.set(
      names,
      all.map(([name]) => name!),
    );
    tags.set(
      flags,
      all.map(([, sign = '']) => FLAGS[sign] ?? 0),
    );
    tags.set(
      versions,
      all.map(([, , wanted = '']) => wanted),
    );
  }
  if (rpm.triggers) tags.set(TAG.triggers, rpm.triggers);
  if (rpm.fileTriggers) tags.set(TAG.fileTriggers, rpm.fileTriggers);
  if (files.length > 0) {
    const folders = [...new Set(files.map((file) => file.replace(/[^/]*$/, '')))];
    tags.set(
      TAG.directoryIndexes,
      files.map((file) => folders.indexOf(file.replace(/[^/]*$/, ''))),
    );
    tags.set(
      TAG.baseNames,
      files.map((file) => file.replace(/^.*\//, '')),
    );
    tags.set(TAG.directoryNames, folders);
    const marked = (paths: readonly string[] | undefined, bit: number) => (file: string) =>
      paths?.includes(file) === true ? bit : 0;
    const [isConfig, isGhost] = [marked(rpm.config, CONFIG), marked(rpm.ghost, GHOST)];
    tags.set(
      TAG.fileFlags,
      files.map((file) => isConfig(file) | isGhost(file)),
    );
    tags.set(
      TAG.fileVerifyFlags,
      files.map((file) => 0xffffffff - marked(rpm.unverified, VERIFY_DIGEST)(file)),
    );
    tags.set(TAG.fileStates, Uint8Array.from(files, marked(rpm.notInstalled, NOT_INSTALLED)));
  }
  for (const [tag, value] of [...(rpm.scripts ?? []), ...(rpm.more ?? [])]) tags.set(tag, value);
  return { key: `${rpm.name}.${rpm.arch ?? 'noarch'}`, header: rpmHeader(tags) };
}
