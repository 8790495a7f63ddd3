import { ManualClock, RealClock } from '../../../local/clock';
import type { Json, JsonObject } from '../../../local/states/json';
import { matchesError } from '../../../local/states/retry';
import { callOf, engineUnderTest, throwing } from './engine-under-test';

const K = {
  Type: 'Pass',
  Output: { input: '{% $states.input %}', kept: '{% $exists($kept) ? $kept : null %}' },
  End: true,
};
const failing = (error: string, times = Infinity) => {
  const calls: number[] = [];
  const call = (): Json => {
    calls.push(Date.now());
    return calls.length > times ? { calls: calls.length } : throwing(error, 'told');
  };
  return { calls, functions: { f: call } };
};
const retrying = (Retry: JsonObject[], more: JsonObject = {}) => ({ T: callOf('f', { Retry, ...more }) });

describe('ErrorEquals', () => {
  test.each<[string[], string, boolean]>([
    [['MyError'], 'MyError', true],
    [['MyError'], 'Other', false],
    [['States.ALL'], 'MyError', true],
    [['States.ALL'], 'States.Timeout', true],
    [['States.ALL'], 'States.QueryEvaluationError', true],
    [['States.ALL'], 'States.DataLimitExceeded', false],
    [['States.DataLimitExceeded'], 'States.DataLimitExceeded', true],
    [['States.ALL'], 'States.Runtime', false],
    [['States.Runtime'], 'States.Runtime', false],
    [['States.TaskFailed'], 'MyError', true],
    [['States.TaskFailed'], 'Lambda.ServiceException', true],
    [['States.TaskFailed'], 'States.Timeout', false],
    [['A', 'B'], 'B', true],
  ])('%j for %s: %s', (names, error, expected) => {
    expect(matchesError(names, error)).toBe(expected);
  });
});

describe('Catch', () => {
  test('without Output the error is the output', async () => {
    const { output } = engineUnderTest(failing('MyError'));
    const states = { T: callOf('f', { Catch: [{ ErrorEquals: ['MyError'], Next: 'K' }] }), K };
    expect(await output(states, { a: 1 })).toMatchObject({
      input: { Error: 'MyError', Cause: '{"errorType":"MyError","errorMessage":"told","trace":[]}' },
    });
  });

  test('Output and Assign see $states.errorOutput and the input; the first that matches takes it', async () => {
    const { output } = engineUnderTest(failing('MyError'));
    const Catch = [
      { ErrorEquals: ['Other'], Next: 'K' },
      {
        ErrorEquals: ['States.ALL'],
        Output: { e: '{% $states.errorOutput.Error %}', a: '{% $states.input.a %}' },
        Assign: { kept: '{% $parse($states.errorOutput.Cause).errorMessage %}' },
        Next: 'K',
      },
    ];
    expect(await output({ T: callOf('f', { Catch: Catch as never }), K }, { a: 1 })).toEqual({
      input: { e: 'MyError', a: 1 },
      kept: 'told',
    });
  });

  test('the Assign of the state itself is not made when it is left by a Catch', async () => {
    const { output } = engineUnderTest(failing('MyError'));
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'K' }];
    const states = { T: callOf('f', { Catch, Assign: { kept: 'never' } }), K };
    expect(await output(states)).toMatchObject({ kept: null });
  });

  test("an expression that fails in the state's Output is caught too", async () => {
    const { output } = engineUnderTest({ functions: { f: () => ({}) } });
    const Catch = [{ ErrorEquals: ['States.QueryEvaluationError'], Output: 'caught', Next: 'K' }];
    const states = { T: callOf('f', { Output: '{% $states.result.Payload.none %}', Catch }), K };
    expect(await output(states)).toMatchObject({ input: 'caught' });
  });

  test('an expression that fails in a Catch ends the execution and names its place', async () => {
    const { run, engine } = engineUnderTest(failing('MyError'));
    const Catch = [{ ErrorEquals: ['States.ALL'], Output: '{% $states.none %}', Next: 'K' }];
    const ended = await run({ T: callOf('f', { Catch }), K });
    expect(ended.error).toBe('States.QueryEvaluationError');
    expect(ended.cause).toBe(
      "An error occurred while executing the state 'T' (entered at the event id #2). The JSONata expression '$states.none' specified for the field 'Catch[0]/Output' returned nothing (undefined).",
    );
    expect(engine.events(ended.executionArn).at(-2)).toMatchObject({
      type: 'EvaluationFailed',
      evaluationFailedEventDetails: { state: 'T', location: 'Catch[0]/Output' },
    });
  });

  test('a Fail inside of a Parallel is caught around it', async () => {
    const Branches = [{ StartAt: 'F', States: { F: { Type: 'Fail', Error: 'Mine', Cause: 'because' } } }];
    const Catch = [{ ErrorEquals: ['Mine'], Next: 'K' }];
    const { output } = engineUnderTest();
    expect(await output({ P: { Type: 'Parallel', Branches, Catch, End: true }, K })).toMatchObject({
      input: { Error: 'Mine', Cause: 'because' },
    });
  });
});

describe('Retry', () => {
  /** Seconds between attempts, on a clock that this moves. */
  async function delaysOf(
    Retry: JsonObject[],
    random = () => 1,
  ): Promise<{ delays: number[]; error?: string }> {
    const clock = new ManualClock(0);
    const at: number[] = [];
    const call = (): never => {
      at.push(clock.now().getTime());
      return throwing('E');
    };
    const { run } = engineUnderTest({ functions: { f: call }, clock, random });
    let done = false;
    const running = run(retrying(Retry)).finally(() => (done = true));
    while (!done) await clock.advance(500);
    return {
      delays: at.slice(1).map((time, index) => (time - (at[index] ?? 0)) / 1000),
      error: (await running).error,
    };
  }

  test('defaults: three more attempts, after 1, 2 and 4 seconds', async () => {
    expect(await delaysOf([{ ErrorEquals: ['E'] }])).toEqual({ delays: [1, 2, 4], error: 'E' });
  });

  test('IntervalSeconds, BackoffRate, MaxAttempts, MaxDelaySeconds', async () => {
    const retrier = {
      ErrorEquals: ['E'],
      IntervalSeconds: 3,
      BackoffRate: 3,
      MaxAttempts: 4,
      MaxDelaySeconds: 20,
    };
    expect((await delaysOf([retrier])).delays).toEqual([3, 9, 20, 20]);
  });

  test('JitterStrategy FULL takes a part of each delay', async () => {
    const retrier = { ErrorEquals: ['E'], IntervalSeconds: 4, JitterStrategy: 'FULL', MaxAttempts: 2 };
    expect((await delaysOf([retrier], () => 0.5)).delays).toEqual([2, 4]);
  });

  test('MaxAttempts 0 is none, also in front of a retrier that would', async () => {
    expect(
      (await delaysOf([{ ErrorEquals: ['E'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }])).delays,
    ).toEqual([]);
  });

  test('each retrier counts its own attempts; the context counts all', async () => {
    const names = ['A', 'B', 'A', 'B'];
    const seen: Json[] = [];
    const { output } = engineUnderTest({
      functions: {
        f: (event: { retries: number }) => {
          seen.push(event.retries);
          const name = names.shift();
          return name === undefined ? 'done' : throwing(name);
        },
      },
    });
    const T = callOf('f', {
      Arguments: {
        FunctionName: 'arn:aws:lambda:eu-west-1:123456789012:function:f',
        Payload: { retries: '{% $states.context.State.RetryCount %}' },
      },
      Retry: [
        { ErrorEquals: ['A'], MaxAttempts: 2 },
        { ErrorEquals: ['B'], MaxAttempts: 2 },
      ],
    });
    expect(await output({ T })).toBe('done');
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  test('what is left after the attempts is caught', async () => {
    const { functions, calls } = failing('E');
    const { output } = engineUnderTest({ functions });
    const Catch = [{ ErrorEquals: ['E'], Output: 'caught', Next: 'K' }];
    expect(
      await output({ ...retrying([{ ErrorEquals: ['E'], MaxAttempts: 1 }], { Catch }), K }),
    ).toMatchObject({
      input: 'caught',
    });
    expect(calls).toHaveLength(2);
  });

  test('a new stay in the state counts from the start', async () => {
    let calls = 0;
    const { output } = engineUnderTest({
      clock: new RealClock({ speed: 1000 }),
      functions: { f: () => (++calls % 2 === 1 ? throwing('E') : calls) },
    });
    const states = {
      T: callOf('f', { Retry: [{ ErrorEquals: ['E'], MaxAttempts: 1 }], Next: 'C' }),
      C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input < 6 %}', Next: 'T' }], Default: 'S' },
      S: { Type: 'Succeed' },
    };
    expect(await output(states)).toBe(6);
  });

  test('States.Runtime is never tried again', async () => {
    const { run, engine } = engineUnderTest();
    const T = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: {}, End: true };
    const ended = await run({
      T: { ...T, Retry: [{ ErrorEquals: ['States.ALL', 'States.Runtime'] }] },
    } as never);
    expect(ended.error).toBe('States.Runtime');
    const attempts = engine.events(ended.executionArn).filter(({ type }) => type === 'TaskScheduled');
    expect(attempts).toHaveLength(1);
  });
});
