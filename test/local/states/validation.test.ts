import { DefinitionError } from '../../../local/states';
import type { JsonObject } from '../../../local/states/json';
import { engineUnderTest } from './engine-under-test';

function mistakesOf(definition: object): readonly string[] {
  try {
    engineUnderTest().engine.putStateMachine('m', JSON.stringify(definition));
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.mistakes;
    throw error;
  }
}
const machine = (States: JsonObject, more: object = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: Object.keys(States)[0],
  States,
  ...more,
});
const END = { E: { Type: 'Succeed' } };
const map = (more: JsonObject, config: JsonObject = { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }) =>
  machine({
    M: {
      Type: 'Map',
      ItemProcessor: { ProcessorConfig: config, StartAt: 'P', States: { P: { Type: 'Succeed' } } },
      End: true,
      ...more,
    },
  });
const LAMBDA = 'arn:aws:states:::lambda:invoke';
const S3 = 'arn:aws:states:::s3:getObject';

test.each<[string, object, string]>([
  ['JSONPath', { StartAt: 'E', States: END }, 'QueryLanguage JSONPath (the default) is not supported'],
  [
    'JSONPath in one state',
    machine({ E: { Type: 'Succeed', QueryLanguage: 'JSONPath' } }),
    "'JSONPath' is not supported",
  ],
  [
    'a JSONPath field',
    machine({ P: { Type: 'Pass', InputPath: '$.a', End: true } }),
    "Field 'InputPath' is not supported at /States/P/InputPath",
  ],
  ['an unknown type', machine({ X: { Type: 'Loop' } }), "State type 'Loop' is not supported"],
  [
    'an unknown field',
    machine({ T: { Type: 'Task', Resource: LAMBDA, HeartbeatSeconds: 5, End: true } }),
    "Field 'HeartbeatSeconds' is not supported",
  ],
  ['a start that is not there', machine(END, { StartAt: 'None' }), "StartAt names no state: 'None'"],
  ['a next that is not there', machine({ P: { Type: 'Pass', Next: 'None' } }), "Next names no state: 'None'"],
  [
    'a catch to nowhere',
    machine({
      T: {
        Type: 'Task',
        Resource: LAMBDA,
        End: true,
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'None' }],
      },
    }),
    "Next names no state: 'None' at /States/T/Catch[0]/Next",
  ],
  ['neither Next nor End', machine({ P: { Type: 'Pass' } }), 'one of Next and End'],
  ['Next and End', machine({ P: { Type: 'Pass', Next: 'E', End: true }, ...END }), 'one of Next and End'],
  [
    'a state that is not reachable',
    machine({ ...END, Lost: { Type: 'Succeed' } }),
    "State 'Lost' is not reachable",
  ],
  [
    'the same name twice',
    machine({ P: { Type: 'Parallel', Branches: [machine(END) as never], Next: 'E' }, ...END }),
    "State name 'E' is used twice",
  ],
  [
    'a resource that is not served',
    machine({ T: { Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage', End: true } }),
    "'arn:aws:states:::sqs:sendMessage' is not supported",
  ],
  [
    'task tokens',
    machine({ T: { Type: 'Task', Resource: `${LAMBDA}.waitForTaskToken`, End: true } }),
    'waitForTaskToken',
  ],
  [
    'an expression that is no JSONata',
    machine({ P: { Type: 'Pass', Output: { a: ['{% 1 + %}'] }, End: true } }),
    'Invalid JSONata expression: Unexpected end of expression at /States/P/Output/a[0]',
  ],
  [
    'a variable of an outer scope',
    machine({
      P: {
        Type: 'Parallel',
        Assign: { x: 1 },
        Branches: [machine({ I: { Type: 'Pass', Assign: { x: 2 }, End: true } }) as never],
        End: true,
      },
    }),
    "Variable 'x' is assigned by an outer scope already",
  ],
  [
    'a wait for two things',
    machine({ W: { Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z', End: true } }),
    'one of Seconds and Timestamp',
  ],
  [
    'a choice without condition',
    machine({ C: { Type: 'Choice', Choices: [{ Next: 'E' }] }, ...END }),
    "Field 'Condition' is missing",
  ],
  [
    'a JSONPath choice',
    machine({ C: { Type: 'Choice', Choices: [{ Variable: '$.x', IsNull: true, Next: 'E' }] }, ...END }),
    "Field 'Variable' is not supported at /States/C/Choices[0]/Variable",
  ],
  [
    'Express children',
    map({}, { Mode: 'DISTRIBUTED', ExecutionType: 'EXPRESS' }),
    "Value 'EXPRESS' is not supported",
  ],
  [
    'tolerance of an inline map',
    map({ ToleratedFailureCount: 1 }, { Mode: 'INLINE' }),
    "'ToleratedFailureCount' needs Mode DISTRIBUTED",
  ],
  [
    'a CSV reader',
    map({ ItemReader: { Resource: S3, ReaderConfig: { InputType: 'CSV' } } }),
    "Value 'CSV' is not supported: JSON or JSONL",
  ],
  [
    'a reader of lists',
    map({ ItemReader: { Resource: 'arn:aws:states:::s3:listObjectsV2' } }),
    's3:listObjectsV2',
  ],
  [
    'Items and ItemReader',
    map({ Items: [], ItemReader: { Resource: S3, ReaderConfig: { InputType: 'JSON' } } }),
    'one of Items and ItemReader',
  ],
  [
    'a negative retry',
    machine({
      T: { Type: 'Task', Resource: LAMBDA, End: true, Retry: [{ ErrorEquals: ['E'], MaxAttempts: -1 }] },
    }),
    'MaxAttempts must be a number of 0 or more',
  ],
])('%s is refused by name', (_what, definition, mistake) => {
  expect(mistakesOf(definition)).toEqual(expect.arrayContaining([expect.stringContaining(mistake)]));
});

test('all mistakes are told at once, in the words of the API', () => {
  const create = (): unknown =>
    engineUnderTest().engine.putStateMachine(
      'm',
      JSON.stringify(machine({ P: { Type: 'Pass', InputPath: '$', Next: 'Q' } })),
    );
  expect(create).toThrow(
    "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Field 'InputPath' is not supported at /States/P/InputPath, " +
      "SCHEMA_VALIDATION_FAILED: Next names no state: 'Q' at /States/P/Next'",
  );
});

test('what is no JSON is refused', () => {
  expect(() => engineUnderTest().engine.putStateMachine('m', '{')).toThrow('Not JSON');
});

test('a child of a Distributed Map may assign what is assigned around it', () => {
  const definition = machine({
    A: { Type: 'Pass', Assign: { x: 1 }, Next: 'M' },
    M: {
      Type: 'Map',
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'P',
        States: { P: { Type: 'Pass', Assign: { x: 2 }, End: true } },
      },
      End: true,
    },
  });
  expect(mistakesOf(definition)).toEqual([]);
});
