import { type Static, Type } from '@sinclair/typebox';
import { Update } from '../update/update';
import { Targets } from './targets';

export { Update } from '../update/update';
export { Targets } from './targets';

export const REPRESENTATIVE_KINDS = ['auto', 'live', 'clone'] as const;

/**
 * What the deployed construct knows: its named updates and the defaults of a run. It is published as an asset, found by
 * plan-run at UPDATES_BUCKET/UPDATES_KEY, and frozen into each run's plan.
 */
export const UpdatesDocument = Type.Object(
  {
    formatVersion: Type.Literal(1),
    updates: Type.Array(Update, { minItems: 1 }),
    defaultTargets: Type.Optional(Targets),
    /** Days for which a replaced volume is kept. */
    retainDays: Type.Integer({ minimum: 1, maximum: 365 }),
    maxConcurrency: Type.Integer({ minimum: 1, maximum: 1000 }),
    toleratedFailurePercentage: Type.Integer({ minimum: 0, maximum: 100 }),
    maxRounds: Type.Integer({ minimum: 1, maximum: 20 }),
    representative: Type.Union(REPRESENTATIVE_KINDS.map((kind) => Type.Literal(kind))),
  },
  { additionalProperties: false },
);
export type UpdatesDocument = Static<typeof UpdatesDocument>;

/** What a construct takes when its user says nothing. */
export const RUN_DEFAULTS = {
  retainDays: 7,
  maxConcurrency: 40,
  toleratedFailurePercentage: 10,
  maxRounds: 3,
  representative: 'auto',
} as const;
