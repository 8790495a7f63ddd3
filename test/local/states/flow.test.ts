import { callOf, engineUnderTest, throwing } from './engine-under-test';

const pass = (Output: string | object, more: object = {}) =>
  ({ Type: 'Pass', Output, ...('Next' in more ? {} : { End: true }), ...more }) as never;

describe('Pass, variables and scopes', () => {
  test('a Pass without Output gives its input', async () => {
    expect(await engineUnderTest().output({ A: { Type: 'Pass', End: true } }, { a: 1 })).toEqual({ a: 1 });
  });

  test('Output and Assign are evaluated side by side: Output does not see what Assign makes', async () => {
    const states = {
      A: { Type: 'Pass', Assign: { x: 1 }, Next: 'B' },
      B: pass('{% $x %}', { Assign: { x: '{% $x + 1 %}' }, Next: 'C' }),
      C: pass({ before: '{% $states.input %}', after: '{% $x %}' }),
    };
    expect(await engineUnderTest().output(states)).toEqual({ before: 1, after: 2 });
  });

  test('a branch reads the variables around it, and what it assigns ends with it', async () => {
    const branch = { StartAt: 'I', States: { I: pass('{% $outer %}', { Assign: { inner: 1 } }) } };
    const states = {
      A: { Type: 'Pass', Assign: { outer: 'o' }, Next: 'P' },
      P: { Type: 'Parallel', Branches: [branch], Next: 'B' },
      B: pass({ got: '{% $states.input %}', inner: '{% $exists($inner) %}' }),
    };
    expect(await engineUnderTest().output(states)).toEqual({ got: ['o'], inner: false });
  });

  test('the context object', async () => {
    const states = {
      A: pass({
        id: '{% $states.context.Execution.Id %}',
        name: '{% $states.context.Execution.Name %}',
        input: '{% $states.context.Execution.Input.q %}',
        machine: '{% $states.context.StateMachine %}',
        state: '{% $states.context.State.Name %}',
        retries: '{% $states.context.State.RetryCount %}',
      }),
    };
    expect(await engineUnderTest().output(states, { q: 5 })).toEqual({
      id: 'arn:aws:states:eu-west-1:123456789012:execution:machine-1:run',
      name: 'run',
      input: 5,
      machine: { Id: 'arn:aws:states:eu-west-1:123456789012:stateMachine:machine-1', Name: 'machine-1' },
      state: 'A',
      retries: 0,
    });
  });
});

describe('Choice', () => {
  const states = {
    C: {
      Type: 'Choice',
      Assign: { chosen: 'default' },
      Choices: [
        { Condition: '{% $states.input.n > 10 %}', Next: 'D', Assign: { chosen: 'large' } },
        {
          Condition: '{% $states.input.n > 5 %}',
          Next: 'D',
          Output: '{% $states.input.n * 2 %}',
          Assign: { chosen: 'mid' },
        },
      ],
      Default: 'D',
    },
    D: pass({ chosen: '{% $chosen %}', input: '{% $states.input %}' }),
  };

  test.each([
    [11, { chosen: 'large', input: { n: 11 } }],
    [6, { chosen: 'mid', input: 12 }],
    [1, { chosen: 'default', input: { n: 1 } }],
  ])('%i', async (n, expected) => {
    expect(await engineUnderTest().output(states as never, { n })).toEqual(expected);
  });

  test('without a Default nothing matching ends the execution', async () => {
    const { C, D } = states;
    const { Default: _, ...without } = C;
    const ended = await engineUnderTest().run({ C: without, D } as never, { n: 1 });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
  });

  test('a Condition that is no boolean is an evaluation error', async () => {
    const choice = { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'S' }] };
    const ended = await engineUnderTest().run({ C: choice, S: { Type: 'Succeed' } });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
    expect(ended.cause).toContain('Choices[0]/Condition');
  });
});

describe('Wait, Succeed and Fail', () => {
  test('a Wait takes its seconds of the clock', async () => {
    const { run } = engineUnderTest();
    const ended = await run({ W: { Type: 'Wait', Seconds: '{% $states.input.s %}', End: true } }, { s: 40 });
    expect((ended.stopDate ?? 0) - ended.startDate).toBeGreaterThanOrEqual(40_000);
  });

  test('a Wait until a time that is over takes none', async () => {
    const states = { W: { Type: 'Wait', Timestamp: '2020-01-01T00:00:00Z', End: true } };
    expect(await engineUnderTest().output(states, { a: 1 })).toEqual({ a: 1 });
  });

  test('a Succeed may have an Output', async () => {
    const states = { S: { Type: 'Succeed', Output: { n: '{% $states.input.n %}' } } };
    expect(await engineUnderTest().output(states, { n: 3 })).toEqual({ n: 3 });
  });

  test('a Fail evaluates Error and Cause', async () => {
    const states = {
      F: { Type: 'Fail', Error: "{% 'E' & $states.input.n %}", Cause: '{% $string($states.input) %}' },
    };
    expect(await engineUnderTest().run(states, { n: 3 })).toMatchObject({
      status: 'FAILED',
      error: 'E3',
      cause: '{"n":3}',
    });
  });
});

describe('Task', () => {
  test('the function gets the payload, the result is in $states.result', async () => {
    const { output } = engineUnderTest({ functions: { echo: (event) => ({ got: event }) } });
    expect(await output({ T: callOf('echo') }, { a: 1 })).toEqual({ got: { a: 1 } });
  });

  test("a function's ARN as Resource gives the payload itself", async () => {
    const { output } = engineUnderTest({ functions: { echo: (event) => ({ got: event }) } });
    const Resource = 'arn:aws:lambda:eu-west-1:123456789012:function:echo';
    expect(await output({ T: { Type: 'Task', Resource, End: true } }, [1])).toEqual({ got: [1] });
  });

  test("the error is the thrown error's name, the cause its JSON", async () => {
    const { run } = engineUnderTest({ functions: { boom: () => throwing('MyError', 'broken') } });
    const ended = await run({ T: callOf('boom') });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'MyError' });
    expect(JSON.parse(ended.cause ?? '')).toEqual({
      errorType: 'MyError',
      errorMessage: 'broken',
      trace: [],
    });
  });

  test('a function that is not there', async () => {
    expect(await engineUnderTest().run({ T: callOf('missing') })).toMatchObject({
      error: 'Lambda.ResourceNotFoundException',
    });
  });

  test('TimeoutSeconds ends the attempt with States.Timeout', async () => {
    const { output } = engineUnderTest({ functions: { slow: () => new Promise(() => undefined) } });
    const states = {
      T: callOf('slow', { TimeoutSeconds: 30, Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'L' }] }),
      L: pass('late'),
    };
    expect(await output(states)).toBe('late');
  });

  test('a result above 256 KiB ends the execution, and States.ALL does not catch it', async () => {
    const { run } = engineUnderTest({ functions: { large: () => 'x'.repeat(262_144) } });
    const states = {
      T: callOf('large', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'L' }] }),
      L: pass('caught'),
    };
    expect(await run(states)).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

describe('Parallel', () => {
  const branch = (name: string, state: object) => ({ StartAt: name, States: { [name]: state } }) as never;

  test('the outputs of the branches in order', async () => {
    const Branches = [branch('A', pass('{% $states.input.n %}')), branch('B', pass('b'))];
    expect(
      await engineUnderTest().output({ P: { Type: 'Parallel', Branches, End: true } }, { n: 1 }),
    ).toEqual([1, 'b']);
  });

  test("a failing branch stops the others and is caught by its own error's name", async () => {
    let finished = false;
    const { output, engine } = engineUnderTest({ functions: { slow: () => (finished = true) } });
    const waiting = {
      StartAt: 'W',
      States: { W: { Type: 'Wait', Seconds: 1_000_000, Next: 'T' }, T: callOf('slow') },
    };
    const Branches = [waiting, branch('F', { Type: 'Fail', Error: 'Broken' })];
    const Catch = [{ ErrorEquals: ['Broken'], Output: '{% $states.errorOutput.Error %}', Next: 'K' }];
    const states = {
      P: { Type: 'Parallel', Branches, Catch, End: true },
      K: { Type: 'Pass', End: true },
    } as never;
    expect(await output(states)).toBe('Broken');
    expect(finished).toBe(false);
    const types = engine.events(engine.list()[0]?.executionArn ?? '').map(({ type }) => type);
    expect(types).toContain('ParallelStateFailed');
  });
});

describe('the whole execution', () => {
  test('TimeoutSeconds of the machine: TIMED_OUT, the error only in the history', async () => {
    const { run, engine } = engineUnderTest();
    const ended = await run(
      { W: { Type: 'Wait', Seconds: 1_000_000, End: true } },
      {},
      { TimeoutSeconds: 20 },
    );
    expect(ended).toMatchObject({ status: 'TIMED_OUT' });
    expect(ended.error).toBeUndefined();
    expect(engine.events(ended.executionArn).at(-1)).toMatchObject({
      type: 'ExecutionTimedOut',
      executionTimedOutEventDetails: { error: 'States.Timeout' },
    });
  });

  test('a loop ends at 25,000 events', async () => {
    const states = {
      A: { Type: 'Pass', Next: 'C' },
      C: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'S' }], Default: 'A' },
      S: { Type: 'Succeed' },
    };
    const { run, engine } = engineUnderTest();
    const ended = await run(states);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(engine.events(ended.executionArn)).toHaveLength(25_000);
  });
});
