import validate from 'asl-validator';
import jsonata from 'jsonata';
import { ERROR_NAMES, TRANSIENT_ERROR_NAMES } from '../../core/workflow/error-names';
import { type Step, STEPS } from '../../core/workflow/steps';
import {
  allStates,
  definition,
  definitionFiles,
  definitionText,
  expressionsIn,
  nextOf,
  scopesOf,
  type Scope,
  type State,
} from '../support/definitions';

const files = definitionFiles();
const MACHINES = ['PatchInstanceStateMachineArn', 'RunUpdateStateMachineArn', 'UpdateClassStateMachineArn'];
const pascalCase = (name: string): string =>
  name.replace(/(^|-)(\w)/g, (_match, _dash, letter: string) => letter.toUpperCase());
const stepOf = new Map<string, Step>(STEPS.map((step) => [`\${${pascalCase(step.name)}FunctionArn}`, step]));

const invoked = (state: State): Step | undefined =>
  state.Resource === 'arn:aws:states:::lambda:invoke'
    ? stepOf.get(String(state.Arguments?.['FunctionName']))
    : undefined;

test('there is a definition of the run, the class, the update of one machine, the patch of one, the way back and the housekeeping', () => {
  expect(files).toEqual([
    'keep-house.asl.json',
    'patch-fleet.asl.json',
    'patch-instance.asl.json',
    'roll-back-run.asl.json',
    'run-update.asl.json',
    'update-class.asl.json',
  ]);
});

describe.each(files)('%s', (file) => {
  const scopes = scopesOf(file);
  const states = allStates(file);

  test('is valid Amazon States Language', () => {
    const result = validate(definition(file), { checkPaths: true, checkArn: true });
    expect(result.errorsText('\n')).toBe('');
    expect(result.isValid).toBe(true);
  });

  test('is JSONata throughout, in expressions that Step Functions knows', () => {
    expect(definition(file).QueryLanguage).toBe('JSONata');
    for (const [, state] of states) {
      for (const expression of expressionsIn(state)) {
        expect(() => jsonata(expression)).not.toThrow();
        expect(expression).not.toMatch(/\?\?|\?:|\$eval\b/);
      }
    }
  });

  test('names only functions and machines that are deployed', () => {
    const named = [...definitionText(file).matchAll(/\$\{(\w+)\}/g)].map((match) => `\${${match[1]}}`);
    for (const name of named) {
      expect([...stepOf.keys(), ...MACHINES.map((machine) => `\${${machine}}`), '${BucketName}']).toContain(
        name,
      );
    }
  });

  test('has no state that cannot be reached and no way out of its scope', () => {
    for (const { scope } of scopes) {
      expect([...reachable(scope)].sort()).toEqual(Object.keys(scope.States).sort());
    }
  });

  test('says in words what each task and map is for', () => {
    for (const [name, { Type, Comment }] of states) {
      if (Type === 'Task' || Type === 'Map') expect([name, Comment]).toEqual([name, expect.any(String)]);
    }
  });

  test('gives every task a time-out, longer than that of its function, and tries transient errors again', () => {
    for (const [name, state] of states) {
      if (state.Type !== 'Task') continue;
      const given: unknown =
        expressionsIn(state.TimeoutSeconds).length > 0 ? expect.any(String) : expect.any(Number);
      expect([name, state.TimeoutSeconds, state.Retry?.length]).toEqual([name, given, 1]);
      const step = invoked(state);
      if (step === undefined) continue;
      expect(state.TimeoutSeconds).toBeGreaterThan(step.timeoutSeconds);
      expect(state.Retry?.[0]?.ErrorEquals).toEqual([...TRANSIENT_ERROR_NAMES]);
    }
  });

  test('never starts an execution again after it may have run', () => {
    for (const [, state] of states) {
      if (!state.Resource?.includes('startExecution')) continue;
      const retried = state.Retry?.flatMap(({ ErrorEquals }) => ErrorEquals) ?? [];
      expect(retried).not.toContain('States.ALL');
      expect(retried).not.toContain('States.TaskFailed');
      expect(retried).not.toContain('States.Timeout');
    }
  });

  test('goes round in no circle that is not counted', () => {
    for (const { name, scope } of scopes) expect([name, circles(scope)]).toEqual([name, []]);
  });

  test('counts in every wait', () => {
    for (const [name, state] of states) {
      if (state.Type === 'Wait')
        expect([name, state.Assign]).toEqual([name, { checks: '{% $checks + 1 %}' }]);
    }
  });

  test('uses only variables that its own scope assigns', () => {
    for (const { name, scope, around } of scopes) {
      const assigned = new Set([...assignedIn(scope), ...(around === undefined ? [] : assignedIn(around))]);
      for (const [stateName, state] of Object.entries(scope.States)) {
        for (const variable of variablesIn(expressionsIn(state))) {
          expect({ name, stateName, variable, assigned: assigned.has(variable) }).toMatchObject({
            assigned: true,
          });
        }
      }
    }
  });

  test('reads the items of every map from the bucket, starts Standard children and tolerates failures', () => {
    for (const [, state] of states) {
      if (state.Type !== 'Map') continue;
      expect(state.ItemProcessor?.ProcessorConfig).toEqual({
        Mode: 'DISTRIBUTED',
        ExecutionType: 'STANDARD',
      });
      expect(state).toMatchObject({
        ItemReader: { Resource: 'arn:aws:states:::s3:getObject', ReaderConfig: { InputType: 'JSONL' } },
        // Step Functions stops the running children of a map that fails: a machine would be left in mid swap.
        ToleratedFailurePercentage: 100,
      });
    }
  });
});

test('errors that are caught or thrown by name are ours, by the names of their classes', () => {
  const named = files.flatMap((file) =>
    allStates(file).flatMap(([, state]) => [
      ...(state.Catch ?? []).flatMap(({ ErrorEquals }) => ErrorEquals),
      ...(state.Error === undefined || state.Error.startsWith('{%') ? [] : [state.Error]),
    ]),
  );
  const ours: string[] = Object.values(ERROR_NAMES);
  expect([...new Set(named)].filter((name) => name !== 'States.ALL' && !ours.includes(name))).toEqual([]);
  expect(named).toEqual(expect.arrayContaining(['LeaseHeldError', 'RunFailedError', 'CanaryFailedError']));
});

test('every step is called by some state machine', () => {
  const called = new Set(files.flatMap((file) => allStates(file).map(([, state]) => invoked(state)?.name)));
  expect(STEPS.map(({ name }) => name).filter((name) => !called.has(name))).toEqual([]);
});

test('the execution that changes a machine has no time-out that could stop it half way', () => {
  expect(definition('patch-instance.asl.json')).not.toHaveProperty('TimeoutSeconds');
});

test('whatever fails after the lease is taken leads to the old volume', () => {
  const { States } = definition('patch-instance.asl.json');
  for (const name of ['Apply manifest', 'Create volume', 'Swap volume', 'Verify instance']) {
    expect([name, States[name]?.Catch?.map(({ ErrorEquals, Next }) => [ErrorEquals, Next])]).toEqual([
      name,
      [[['States.ALL'], 'Put old volume back']],
    ]);
  }
});

test('the clean-up and the report come on every way to the end of a run', () => {
  const fleet = definition('patch-fleet.asl.json');
  const without = (gone: string): Scope => ({
    ...fleet,
    States: Object.fromEntries(Object.entries(fleet.States).filter(([name]) => name !== gone)),
  });
  for (const end of ['Run succeeded', 'Run failed']) {
    expect(reachable(without('Write report'))).not.toContain(end);
  }
  // Without the clean-up the report is reached only from a plan that found no targets.
  expect(nextOf(fleet.States['Check whether there are targets'] as State)).toContain('Write report');
  const planned = without('Clean up run');
  const reporting = Object.entries(planned.States).filter(([, state]) =>
    nextOf(state).includes('Write report'),
  );
  expect(reporting.map(([name]) => name)).toEqual([
    'Check whether there are targets',
    'Check whether everything is cleaned up',
    'Give up clean-up',
  ]);
});

function reachable(scope: Scope): Set<string> {
  const seen = new Set<string>();
  const open = [scope.StartAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = scope.States[name];
    if (state === undefined || seen.has(name)) continue;
    seen.add(name);
    open.push(...nextOf(state));
  }
  return seen;
}

/** Names of states on a circle that no counting choice is on. */
function circles(scope: Scope): string[] {
  const counted = (state: State): boolean =>
    (state.Choices ?? []).some(({ Condition }) => /\$checks >= \d+|\$round <= \$maxRounds/.test(Condition));
  let left = new Map(Object.entries(scope.States).filter(([, state]) => !counted(state)));
  for (;;) {
    const next = new Map([...left].filter(([, state]) => nextOf(state).some((name) => left.has(name))));
    if (next.size === left.size) return [...left.keys()];
    left = next;
  }
}

function assignedIn(scope: Scope): Set<string> {
  const assigned = new Set<string>();
  const add = (assign: Record<string, unknown> | undefined): void => {
    for (const name of Object.keys(assign ?? {})) assigned.add(name);
  };
  for (const state of Object.values(scope.States)) {
    add(state.Assign);
    for (const rule of state.Choices ?? []) add(rule.Assign);
    for (const rule of state.Catch ?? []) add(rule.Assign);
  }
  return assigned;
}

/** `$name`, but neither a function nor its parameter, nor `$states`, nor what stands in quotes. */
function variablesIn(expressions: string[]): Set<string> {
  return new Set(
    expressions.flatMap((expression) =>
      [
        ...withoutParameters(expression)
          .replace(/'[^']*'/g, '')
          .matchAll(/\$([A-Za-z_]\w*)(?!\w*\s*\()/g),
      ]
        .map((match) => match[1] as string)
        .filter((name) => name !== 'states'),
    ),
  );
}

/** Each `function($x)` and every use of its `$x` taken out. */
function withoutParameters(expression: string): string {
  const parameters = [...expression.matchAll(/function\((\$\w+)\)/g)].map((match) => match[1] as string);
  return parameters.reduce((left, parameter) => left.replaceAll(parameter, ''), expression);
}
