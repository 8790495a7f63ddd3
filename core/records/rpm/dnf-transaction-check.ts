import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { DnfTransaction } from './dnf-transaction';

const exact = { additionalProperties: false } as const;
const whole = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
const text = Type.String({ maxLength: 1_000_000 });
const textOrNull = Type.Union([text, Type.Null()]);
const values = Type.Array(Type.Union([text, whole]), { maxItems: 20 });

const item = Type.Object(
  {
    table: Type.Union([Type.Literal('rpm'), Type.Literal('comps_group'), Type.Literal('comps_environment')]),
    values,
    parts: Type.Array(values, { maxItems: 100_000 }),
  },
  exact,
);

const Transaction = Type.Object(
  {
    begin: whole,
    end: Type.Union([whole, Type.Null()]),
    databaseBefore: textOrNull,
    databaseAfter: textOrNull,
    release: text,
    user: whole,
    command: textOrNull,
    state: whole,
    comment: textOrNull,
    actions: Type.Array(
      Type.Object(
        {
          item,
          repo: text,
          action: whole,
          reason: whole,
          state: whole,
          replacedBy: Type.Array(whole, { maxItems: 100_000 }),
        },
        exact,
      ),
      { maxItems: 100_000 },
    ),
    doneWith: Type.Array(item, { maxItems: 100_000 }),
    output: Type.Array(Type.Tuple([whole, text]), { maxItems: 1_000_000 }),
  },
  exact,
);

/** A transaction out of a manifest, or undefined when these bytes are none. */
export function checkTransaction(bytes: Uint8Array): DnfTransaction | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return undefined;
  }
  if (!Value.Check(Transaction, value)) return undefined;
  const transaction: Static<typeof Transaction> = value;
  const count = transaction.actions.length;
  const placesExist = transaction.actions.every(({ replacedBy }) =>
    replacedBy.every((place) => place >= 0 && place < count),
  );
  return placesExist ? transaction : undefined;
}
