import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { UPDATE_NAME_PATTERN } from '../update/update';
import { InvalidRunInputError, UnknownUpdateError } from './errors';
import { mistakesOf } from './mistakes';
import { Targets } from './targets';
import { REPRESENTATIVE_KINDS, type UpdatesDocument } from './updates-document';

/** `kernel`: after each apply the kernel mounts the result and its own check judges it, which takes seconds a machine. */
export const VERIFY_LEVELS = ['digests', 'kernel'] as const;

/** On how many machines of a class the update is run: with two, what belongs to one machine only is told apart. */
export const DATA_POINTS = [1, 2] as const;

/** What a person types to start a run, and what a schedule sends. Only `update` is needed. */
export const RunInput = Type.Object(
  {
    update: Type.String({ pattern: UPDATE_NAME_PATTERN }),
    targets: Type.Optional(Targets),
    dryRun: Type.Optional(Type.Boolean()),
    maxConcurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    toleratedFailurePercentage: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    representative: Type.Optional(Type.Union(REPRESENTATIVE_KINDS.map((kind) => Type.Literal(kind)))),
    maxRounds: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
    dataPoints: Type.Optional(Type.Union(DATA_POINTS.map((count) => Type.Literal(count)))),
    fresh: Type.Optional(Type.Boolean()),
    memoryHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 2160 })),
    verify: Type.Optional(Type.Union(VERIFY_LEVELS.map((level) => Type.Literal(level)))),
  },
  { additionalProperties: false },
);
export type RunInput = Static<typeof RunInput>;

/** What a person types to put the old volumes of a run back; without ids, of all its machines. */
export const RollBackInput = Type.Object(
  {
    run: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$' }),
    instanceIds: Type.Optional(
      Type.Array(Type.String({ pattern: '^i-[0-9a-f]{8,17}$' }), { minItems: 1, uniqueItems: true }),
    ),
  },
  { additionalProperties: false },
);
export type RollBackInput = Static<typeof RollBackInput>;

/** What a run does, nothing left open: the input over the defaults of the deployment. */
export interface RunSettings {
  readonly update: UpdatesDocument['updates'][number];
  readonly targets: Targets;
  readonly dryRun: boolean;
  readonly maxConcurrency: number;
  readonly toleratedFailurePercentage: number;
  readonly representative: 'auto' | 'live' | 'clone';
  readonly maxRounds: number;
  readonly dataPoints: (typeof DATA_POINTS)[number];
  /** Take no manifest that an earlier run captured. */
  readonly fresh: boolean;
  /** How old a manifest of an earlier run may be; when it is not given, core/memory says. */
  readonly memoryHours?: number;
  readonly verify: (typeof VERIFY_LEVELS)[number];
  readonly retainDays: number;
}

const RUN_EXAMPLE = 'For example: {"update": "security", "targets": {"tags": {"PatchGroup": "web"}}}.';

/**
 * @throws InvalidRunInputError naming every mistake at once
 * @throws UnknownUpdateError when all is well formed but no update has that name
 */
export function parseRunInput(value: unknown, deployed: UpdatesDocument): RunSettings {
  const mistakes = mistakesOf(RunInput, value, 'input');
  const targets = targetsOf(value) ?? deployed.defaultTargets;
  if (!mistakes.some((mistake) => mistake.startsWith('targets')) && !namesAnything(targets)) {
    mistakes.push(
      'targets: nothing is named, and this deployment has no default targets; give tags or instanceIds',
    );
  }
  const input = value as RunInput;
  const update = deployed.updates.find(({ name }) => name === (input as RunInput | undefined | null)?.update);
  const known = deployed.updates.map(({ name }) => name);
  if (mistakes.length > 0 || targets === undefined) {
    const named = typeof value === 'object' && value !== null && 'update' in value;
    if (named && update === undefined && !mistakes.some((mistake) => mistake.startsWith('update'))) {
      mistakes.push(`update: there is no such update; known ones are ${known.join(', ')}`);
    }
    throw new InvalidRunInputError(mistakes, RUN_EXAMPLE);
  }
  if (update === undefined) throw new UnknownUpdateError(input.update, known);
  return {
    update,
    targets,
    dryRun: input.dryRun ?? false,
    maxConcurrency: input.maxConcurrency ?? deployed.maxConcurrency,
    toleratedFailurePercentage: input.toleratedFailurePercentage ?? deployed.toleratedFailurePercentage,
    representative: input.representative ?? deployed.representative,
    maxRounds: input.maxRounds ?? deployed.maxRounds,
    dataPoints: input.dataPoints ?? 2,
    fresh: input.fresh ?? false,
    ...(input.memoryHours === undefined ? {} : { memoryHours: input.memoryHours }),
    verify: input.verify ?? 'digests',
    retainDays: deployed.retainDays,
  };
}

/** @throws InvalidRunInputError naming every mistake at once */
export function parseRollBackInput(value: unknown): RollBackInput {
  return parse(RollBackInput, value, 'For example: {"run": "patch-2026-11-20"}.');
}

function parse<T extends TSchema>(schema: T, value: unknown, example: string): Static<T> {
  const mistakes = mistakesOf(schema, value, 'input');
  if (mistakes.length > 0) throw new InvalidRunInputError(mistakes, example);
  return value as Static<T>;
}

function targetsOf(value: unknown): Targets | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as { targets?: Targets }).targets;
}

function namesAnything(targets: Targets | undefined): boolean {
  return targets !== undefined && (targets.tags !== undefined || targets.instanceIds !== undefined);
}
