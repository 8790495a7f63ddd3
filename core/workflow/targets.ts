import { type Static, Type } from '@sinclair/typebox';

const tagValue = Type.String({ maxLength: 256 });

/**
 * Which instances a run is for: those with all of these tags (any of the values of each), and those named by id.
 * `Patch Group` and `PatchGroup` are the tag keys of Systems Manager Patch Manager.
 */
export const Targets = Type.Object(
  {
    tags: Type.Optional(
      Type.Record(
        Type.String({ minLength: 1, maxLength: 128 }),
        Type.Union([tagValue, Type.Array(tagValue, { minItems: 1 })]),
        { minProperties: 1 },
      ),
    ),
    instanceIds: Type.Optional(
      Type.Array(Type.String({ pattern: '^i-[0-9a-f]{8,17}$' }), { minItems: 1, uniqueItems: true }),
    ),
  },
  { additionalProperties: false },
);
export type Targets = Static<typeof Targets>;
