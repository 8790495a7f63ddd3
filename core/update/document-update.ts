import { createHash } from 'node:crypto';
import { type Static, Type } from '@sinclair/typebox';

/** SendCommand, DocumentName and DocumentVersion (Systems Manager, API reference). */
const NAME_PATTERN = '^[A-Za-z0-9_.:/-]{3,128}$';
const VERSION_PATTERN = '^(\\$LATEST|\\$DEFAULT|[1-9][0-9]{0,9})$';

/** A document of Systems Manager in the place of commands: AWS's own, one of this account, or by its ARN a shared one. */
export const CommandDocument = Type.Object(
  {
    name: Type.String({ pattern: NAME_PATTERN }),
    version: Type.Optional(Type.String({ pattern: VERSION_PATTERN })),
    parameters: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z0-9]{1,100}$' }),
        Type.Array(Type.String({ maxLength: 10_000 }), { maxItems: 1000 }),
      ),
    ),
  },
  { additionalProperties: false },
);
export type CommandDocument = Static<typeof CommandDocument>;

/** Those that ask Patch Manager what is approved, by a snapshot of the patch baseline. */
const PATCH_DOCUMENTS = new Set(['AWS-RunPatchBaseline', 'AWS-RunPatchBaselineWithHooks']);

/**
 * The parameters as they are sent. A patch document is given one snapshot of its baseline for the whole run, so that what is
 * approved cannot change between one representative and the next ("SSM document for patching: AWS-RunPatchBaseline",
 * parameter Snapshot ID), unless the update names one.
 */
export function documentParameters(
  { name, parameters = {} }: CommandDocument,
  run: string,
): Record<string, string[]> {
  if (!PATCH_DOCUMENTS.has(name) || parameters['SnapshotId'] !== undefined) return parameters;
  return { ...parameters, SnapshotId: [uuidOf(run)] };
}

/** A UUID that always stands for the same words (RFC 9562, version 8). */
function uuidOf(words: string): string {
  const hex = createHash('sha256').update(`imageelves patch snapshot ${words}`).digest('hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
