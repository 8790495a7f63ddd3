import { type Static, Type } from '@sinclair/typebox';
import { digest, exact, nanoseconds, path, shortText, size, state } from './schema-parts';

export const READ_KINDS = [
  /** Content, mode, owner, attributes. */
  'entry',
  /** What stands there, links followed, and whether it can be executed. */
  'type',
  /** Mode, owner, attributes, of a link its target, but no content. */
  'metadata',
  /** The names in a directory, those aside that the update writes. */
  'names',
  /** The names in a directory with type, mode and owner of each. */
  'listing',
  /** One record of a record file, as far as programs ask for it. */
  'record',
  /** The records of a record file that are about paths or packages that the update writes. */
  'concerned',
  /** The records of a record file: all, or those with the names that were asked for. */
  'records',
  /** One package: whether it is installed, and in which version of its programs. */
  'package',
  /** All packages that are installed, with their versions. */
  'packages',
] as const;

/** What the update read and did not change, as far as its outcome may depend on it (core/footprint). */
export const Read = Type.Object(
  {
    path,
    kind: Type.Union(READ_KINDS.map((kind) => Type.Literal(kind))),
    /** Key, of a record or a package. */
    record: Type.Optional(shortText),
    /** Of names and records: only these, as far as they are there. */
    asked: Type.Optional(Type.Array(shortText, { maxItems: 100_000 })),
    /** With the machine's own values taken out (core/variation). */
    state,
    /** The same with these values left in, where there are any: one may be a word that stands there by chance. */
    plain: Type.Optional(digest),
    /** Of directories and of sets of records: what the state is made of, so that a difference can be told in words. */
    names: Type.Optional(Type.Array(shortText, { maxItems: 100_000 })),
    /**
     * A package gives its files one time on every machine: the content of a file with this size and time is taken as equal
     * unread. Mode, owner and attributes (`metadata`) can be changed without it; manifests of old do not have them, and
     * such a file is read.
     */
    unchanged: Type.Optional(
      Type.Object({ sizeBytes: size, mtimeNs: nanoseconds, metadata: Type.Optional(state) }, exact),
    ),
  },
  exact,
);
export type ManifestRead = Static<typeof Read>;

/** What dpkg sees to before it changes packages, of the packages that the update touched. */
export const PackageRelations = Type.Object(
  {
    /** As the update leaves them. */
    installed: Type.Array(
      Type.Object(
        {
          package: shortText,
          version: shortText,
          provides: Type.Optional(shortText),
          multiArch: Type.Optional(shortText),
        },
        exact,
      ),
      { maxItems: 100_000 },
    ),
    /** New demands of these packages, with whether the representative met them before the update. */
    demands: Type.Array(
      Type.Object(
        {
          package: shortText,
          /** `requires`: one of the alternatives must be there. `refuses`: this must not. */
          kind: Type.Union([Type.Literal('requires'), Type.Literal('refuses')]),
          relation: shortText,
          met: Type.Boolean(),
        },
        exact,
      ),
      { maxItems: 100_000 },
    ),
  },
  exact,
);
export type PackageRelations = Static<typeof PackageRelations>;
