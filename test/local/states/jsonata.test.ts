import { ManualClock } from '../../../local/clock';
import { evaluateTemplate } from '../../../local/states/jsonata/evaluate';
import type { Json, JsonObject } from '../../../local/states/json';

const clock = new ManualClock(Date.parse('2026-11-20T06:00:00Z'));
const evaluate = (template: Json, input: Json = {}, variables: JsonObject = {}): Promise<Json> =>
  evaluateTemplate(template, { states: { input }, variables, clock }, 'Output');

test.each<[string, Json, Json]>([
  ['no expression stays as written', '$states.input', '$states.input'],
  ['an expression is the whole string or none', 'a {% 1 %}', 'a {% 1 %}'],
  ['white space around it does not matter', '{%   1 + 1   %}', 2],
  ['expressions in arrays and objects', [{ a: ['{% 1 %}', 'x'] }], [{ a: [1, 'x'] }]],
  ['keys are not evaluated', { '{% 1 %}': '{% 2 %}' }, { '{% 1 %}': 2 }],
  ['null is a value', '{% null %}', null],
  ['a predicate on an array', '{% $states.input.list[n > 1].n %}', [2, 3]],
  ['one match is no array', '{% $states.input.list[n = 2].n %}', 2],
  ['... unless it is asked for', '{% [$states.input.list[n = 2].n] %}', [2]],
  [
    'a member that is undefined is left out of an object',
    "{% {'a': $states.input.none, 'b': 1} %}",
    { b: 1 },
  ],
  ['$partition', '{% $partition([1,2,3,4,5], 2) %}', [[1, 2], [3, 4], [5]]],
  ['$range includes its end', '{% $range(0, 10, 5) %}', [0, 5, 10]],
  ['$range counts down', '{% $range(3, 1, -1) %}', [3, 2, 1]],
  [
    '$hash',
    "{% $hash('x', 'SHA-256') %}",
    '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
  ],
  ['$parse', '{% $parse(\'{"z":[1]}\').z %}', [1]],
  ['$random with a seed is the same each time', '{% $random(7) = $random(7) %}', true],
  ['$uuid', '{% $match($uuid(), /^[0-9a-f-]{36}$/).index %}', 0],
  ['$now tells the cloud time', '{% $now() %}', '2026-11-20T06:00:00.000Z'],
  ['$now takes a picture', "{% $now('[Y]/[M01]/[D01]') %}", '2026/11/20'],
  ['$millis tells the cloud time', '{% $millis() %}', Date.parse('2026-11-20T06:00:00Z')],
  ['variables', '{% $x.y %}', 5],
])('%s', async (_name, template, expected) => {
  const input = { list: [{ n: 1 }, { n: 2 }, { n: 3 }] };
  expect(await evaluate(template, input, { x: { y: 5 } })).toEqual(expected);
});

test('$random without a seed is in [0, 1)', async () => {
  const value = await evaluate('{% $random() %}');
  expect(value).toBeGreaterThanOrEqual(0);
  expect(value).toBeLessThan(1);
});

test.each<[string, Json, string]>([
  [
    'nothing',
    '{% $states.input.none %}',
    "The JSONata expression '$states.input.none' specified for the field 'Output' returned nothing (undefined).",
  ],
  [
    'nothing, deep inside',
    { a: [1, { b: '{% $none %}' }] },
    "specified for the field 'Output/a[1]/b' returned nothing (undefined).",
  ],
  ['a function as value', '{% function($x) { $x } %}', 'returned an unsupported result type.'],
  [
    'a type error',
    "{% 'a' + 1 %}",
    "specified for the field 'Output' threw an error during evaluation. The left side of",
  ],
  ['$eval', "{% $eval('1') %}", '$eval is not supported'],
  ['$error', "{% $error('mine') %}", 'mine'],
  ['$range without a step', '{% $range(1, 2, 0) %}', '$range takes a step other than 0.'],
  ['$range above 1000 items', '{% $range(1, 1001, 1) %}', 'at most 1000 items'],
  ['$partition by 0', '{% $partition([1], 0) %}', 'a size of 1 or more'],
  ['$hash by an unknown algorithm', "{% $hash('x', 'SHA-3') %}", '$hash knows MD5'],
  ['$parse of what is no JSON', "{% $parse('{') %}", 'threw an error during evaluation'],
])('%s is States.QueryEvaluationError', async (_name, template, cause) => {
  await expect(evaluate(template)).rejects.toMatchObject({
    error: 'States.QueryEvaluationError',
    cause: expect.stringContaining(cause) as string,
  });
});

test('a result shares nothing with what it was made of', async () => {
  const input = { list: [1, 2] };
  const result = (await evaluate('{% $states.input.list %}', input)) as number[];
  result.push(3);
  expect(input.list).toEqual([1, 2]);
});
