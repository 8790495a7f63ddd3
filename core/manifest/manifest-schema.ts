import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { PackIndex } from '../chunk-store/chunk-store';
import { RECORDING_METHODS } from '../recording/recording';
import { MAX_PATH_LENGTH } from './image-path';
import { PackageRelations, Read } from './read-schema';
import { digest, exact, id, nanoseconds, path, shortText, size, state } from './schema-parts';

/** Raised when a reader of the version before could misread a manifest. */
export const MANIFEST_VERSION = 2;

const metadata = Type.Object(
  {
    /** The twelve permission bits. */
    mode: Type.Integer({ minimum: 0, maximum: 0o7777 }),
    uid: id,
    gid: id,
    mtimeNs: nanoseconds,
    /** Values in base64. */
    xattrs: Type.Record(Type.String({ minLength: 1, maxLength: 255 }), Type.String({ maxLength: 90_000 })),
  },
  exact,
);

/** What of the representative stands in the new content (`host name`): such an operation fits no other machine. */
const holdsIdentity = Type.Optional(Type.Array(shortText, { minItems: 1, maxItems: 20 }));

const pointName = Type.String({ minLength: 1, maxLength: 300 });

/**
 * Where the representative's own values stand in a new content (points of variation). The content is the representative's;
 * for another machine these bytes are replaced by its own values, so that rendering for the representative changes nothing.
 * In order of `offsetBytes`, not overlapping.
 */
const substitutions = Type.Optional(
  Type.Array(
    Type.Object(
      {
        offsetBytes: size,
        lengthBytes: Type.Integer({ minimum: 1, maximum: 4096 }),
        /** Name of a point of variation (core/variation): `host-name`, `machine-id`, `filesystem-uuid:/boot`. */
        value: pointName,
        /** Other readings of the same bytes: a machine for which they give something else is not patched. */
        or: Type.Optional(
          Type.Array(
            Type.Object(
              {
                offsetBytes: size,
                lengthBytes: Type.Integer({ minimum: 1, maximum: 4096 }),
                value: pointName,
              },
              exact,
            ),
            { minItems: 1, maxItems: 20 },
          ),
        ),
        /** It may stand there by chance: fits only machines with the same value. */
        fixed: Type.Optional(Type.Literal(true)),
        /** Its length may be part of the format: fits only machines with a value as long. */
        sameLength: Type.Optional(Type.Literal(true)),
      },
      exact,
    ),
    { minItems: 1, maxItems: 100_000 },
  ),
);

/**
 * The entry before the update with the machine's own values taken out (core/variation): given where they stand in it, and
 * compared in the place of `before`, which holds for the representative alone.
 */
const beforeNeutral = Type.Optional(digest);

/**
 * The package manager puts or removes this file whatever a machine has there: `before` is what the representative had, and
 * any regular file under one name, or none, will do.
 */
const overwrites = Type.Optional(Type.Literal(true));

/** Spares reading a file whose size already says that it differs. */
const beforeSizeBytes = Type.Optional(size);

const operation = <K extends string, P extends Record<string, TSchema>>(kind: K, properties: P) =>
  Type.Object({ kind: Type.Literal(kind), path, pathSubstitutions: substitutions, ...properties }, exact);

export const Operation = Type.Union([
  operation('put-file', {
    before: state,
    beforeSizeBytes,
    after: digest,
    content: digest,
    sizeBytes: size,
    metadata,
    beforeNeutral,
    overwrites,
    substitutions,
    holdsIdentity,
  }),
  operation('put-record', {
    codec: Type.String({ minLength: 1, maxLength: 100 }),
    /**
     * The file is the record file of that path as it is after the update, with `records` put: a backup that a tool
     * keeps of its table. What stood there before does not matter then, and `before` is `any`.
     */
    copyOf: Type.Optional(path),
    /** Digests of everything but the content. Where the file was `absent`, a machine may have one with other records. */
    before: Type.Union([Type.Literal('any'), state]),
    after: digest,
    /**
     * Digests of the canonical bytes of each record. The new bytes are contents of that digest, or of `content` where
     * more is put than is compared: values of the run, such as install times.
     */
    records: Type.Array(
      Type.Object(
        {
          key: shortText,
          before: state,
          after: state,
          content: Type.Optional(digest),
          beforeNeutral,
          substitutions,
        },
        exact,
      ),
      { maxItems: 1_000_000 },
    ),
    metadata,
    holdsIdentity,
  }),
  operation('remove', {
    before: digest,
    beforeSizeBytes,
    beforeNeutral,
    overwrites,
    after: Type.Literal('absent'),
  }),
  operation('make-directory', { before: Type.Literal('absent'), after: digest, metadata }),
  operation('make-symlink', {
    before: state,
    beforeSizeBytes,
    after: digest,
    target: Type.String({ minLength: 1, maxLength: MAX_PATH_LENGTH }),
    metadata,
    beforeNeutral,
    substitutions,
    holdsIdentity,
  }),
  operation('make-hard-link', { before: state, beforeSizeBytes, after: digest, existingPath: path }),
  operation('make-node', {
    before: state,
    beforeSizeBytes,
    after: digest,
    type: Type.Union([
      Type.Literal('character-device'),
      Type.Literal('block-device'),
      Type.Literal('fifo'),
      Type.Literal('socket'),
    ]),
    device: Type.Object({ major: id, minor: id }, exact),
    metadata,
  }),
  operation('set-metadata', { before: digest, beforeSizeBytes, beforeNeutral, after: digest, metadata }),
]);
export type Operation = Static<typeof Operation>;
export type OperationOf<K extends Operation['kind']> = Extract<Operation, { kind: K }>;
export type ManifestMetadata = Static<typeof metadata>;

const packIndex = Type.Unsafe<PackIndex>(
  Type.Object(
    {
      digest,
      sizeBytes: size,
      frames: Type.Array(
        Type.Object(
          {
            offsetBytes: size,
            storedBytes: size,
            chunks: Type.Array(Type.Object({ digest, sizeBytes: size }, exact), { maxItems: 2_000_000 }),
          },
          exact,
        ),
        { maxItems: 2_000_000 },
      ),
    },
    exact,
  ),
);

/** How a tool chooses the number of a new account (core/accounts). */
export const NUMBER_RULES = [
  'fixed',
  'first-free',
  'first-free-pair',
  'below-lowest',
  'last-free-pair',
  'above-highest',
  'as-user',
] as const;

/**
 * A user or group that entries of the operations belong to; each machine has its own number for it. One that the update
 * made gets, on each machine, the number that the tool would have chosen there.
 */
const account = Type.Object(
  {
    kind: Type.Union([Type.Literal('user'), Type.Literal('group')]),
    name: Type.String({ minLength: 1, maxLength: 256 }),
    id,
    /** Of one that the update made: every rule that fits what was seen; none, when two machines cannot be explained by
     * one. Absent for one that was there before. */
    rules: Type.Optional(
      Type.Array(Type.Union(NUMBER_RULES.map((rule) => Type.Literal(rule))), { maxItems: 10 }),
    ),
  },
  exact,
);

/** What only a running system can do; a unit on the patched machine does it at its first boot, once (core/deferred). */
const deferredStep = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' }),
    reason: shortText,
    /** Run by `sh`. */
    commands: Type.Array(shortText, { minItems: 1, maxItems: 100 }),
    /** Units that must not start before. */
    before: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 100 }),
  },
  exact,
);

const dataPoint = Type.Object(
  {
    instanceId: shortText,
    kind: Type.Union([Type.Literal('live'), Type.Literal('clone')]),
    /**
     * `witness`: the other machine of the class on which the update was run, or what became of it. `earlier`: the
     * representative of another class, which did the same so far as the classes go.
     */
    role: Type.Union([Type.Literal('representative'), Type.Literal('witness'), Type.Literal('earlier')]),
    used: Type.Boolean(),
    note: Type.Optional(shortText),
  },
  exact,
);

const recordingFacts = Type.Object(
  {
    method: Type.Union(RECORDING_METHODS.map((method) => Type.Literal(method))),
    /** False: something may be missing, and the difference of the snapshots decided alone. */
    whole: Type.Boolean(),
    warnings: Type.Array(shortText, { maxItems: 100 }),
  },
  exact,
);

export const DECISIONS = ['template', 'left-out', 'generated', 'deferred', 'kept'] as const;

const versionsByPackage = Type.Record(Type.String({ maxLength: 300 }), Type.String({ maxLength: 300 }));

/** What an update did to its representative, as operations that do the same to every machine that matches. */
export const Manifest = Type.Object(
  {
    version: Type.Literal(MANIFEST_VERSION),
    run: shortText,
    classId: shortText,
    update: Type.Object({ name: shortText, kind: shortText }, exact),
    /** ISO 8601, by the clock of the step. */
    capturedAt: shortText,
    representative: Type.Object(
      {
        instanceId: shortText,
        kind: Type.Union([Type.Literal('live'), Type.Literal('clone')]),
        /** Ids of the snapshots, root first. */
        snapshots: Type.Object(
          { before: Type.Array(shortText, { maxItems: 64 }), after: Type.Array(shortText, { maxItems: 64 }) },
          exact,
        ),
      },
      exact,
    ),
    os: Type.Object({ id: shortText, versionId: shortText, architecture: shortText }, exact),
    /** Performed in this order; each is valid when those before it are done. */
    operations: Type.Array(Operation, { maxItems: 1_000_000 }),
    /**
     * Modification times, set last: of entries that the update wrote anew with what they held (a package's files that the
     * new version did not change; a .pyc is only good for one time of its .py), and of the directories that all these lie
     * in. They are no part of any digest: a machine need not have these entries, and only their times are changed.
     */
    times: Type.Array(Type.Object({ path, mtimeNs: nanoseconds }, exact), { maxItems: 2_000_000 }),
    /** Where the contents lie. */
    packs: Type.Array(packIndex, { maxItems: 10_000 }),
    /** Changes that are not part of the update, with the reason; `paths` is cut short, `total` is not. */
    leftOut: Type.Object(
      {
        total: size,
        paths: Type.Array(Type.Object({ path, reason: shortText }, exact), { maxItems: 1000 }),
      },
      exact,
    ),
    warnings: Type.Array(shortText, { maxItems: 1000 }),
    /** Where the update was run; the first is the representative. */
    dataPoints: Type.Optional(Type.Array(dataPoint, { minItems: 1, maxItems: 3 })),
    recording: Type.Optional(recordingFacts),
    reads: Type.Optional(Type.Array(Read, { maxItems: 1_000_000 })),
    packageRelations: Type.Optional(PackageRelations),
    accounts: Type.Optional(Type.Array(account, { maxItems: 10_000 })),
    deferred: Type.Optional(Type.Array(deferredStep, { maxItems: 100 })),
    /** How each path that is not simply the same everywhere was decided, with the reason. */
    decisions: Type.Optional(
      Type.Object(
        {
          total: size,
          paths: Type.Array(
            Type.Object(
              {
                path,
                decision: Type.Union(DECISIONS.map((decision) => Type.Literal(decision))),
                reason: shortText,
              },
              exact,
            ),
            { maxItems: 1000 },
          ),
        },
        exact,
      ),
    ),
    /** Why no machine may be patched offline by this manifest: each needs the update online. */
    onlyOnline: Type.Optional(Type.Array(shortText, { minItems: 1, maxItems: 100 })),
    /**
     * For packages updates on dpkg images: what the update would also do on a machine with other packages. A member with
     * an older version of a candidate that no operation touches is not patched whole by this manifest.
     */
    due: Type.Optional(
      Type.Object(
        {
          /** Version offered, by `name:architecture`. */
          candidates: versionsByPackage,
          /** Version that the representative still has although a newer one is offered. */
          keptBack: versionsByPackage,
          /**
           * Packages that were looked up and that nothing is offered for. Where it is given, no others were looked up: a
           * machine with one that stands neither here nor among the candidates is not patched by this manifest.
           */
          notOffered: Type.Optional(Type.Array(Type.String({ maxLength: 300 }), { maxItems: 1_000_000 })),
        },
        exact,
      ),
    ),
  },
  {
    ...exact,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'ImageElves manifest',
  },
);
export type Manifest = Static<typeof Manifest>;
