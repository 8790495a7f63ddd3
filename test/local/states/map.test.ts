import type { Json, JsonObject } from '../../../local/states/json';
import { callOf, distributedOf, engineUnderTest, throwing } from './engine-under-test';

const PASS = { P: { Type: 'Pass', End: true } };
const OBJECT = 'arn:aws:states:::s3:getObject';

describe('an inline Map', () => {
  const inline = (States: JsonObject, more: JsonObject = {}): JsonObject => ({
    Type: 'Map',
    ItemProcessor: { StartAt: Object.keys(States)[0] as string, States },
    ...('Next' in more ? {} : { End: true }),
    ...more,
  });

  test('items, item selector, context and variables around', async () => {
    const states = {
      A: { Type: 'Pass', Assign: { factor: 10 }, Next: 'M' },
      M: inline(
        {
          P: {
            Type: 'Pass',
            Output: '{% $states.input.v * $factor + $states.context.Map.Item.Index %}',
            End: true,
          },
        },
        {
          Items: '{% $states.input.l %}',
          ItemSelector: { v: '{% $states.context.Map.Item.Value %}' },
          MaxConcurrency: 2,
        },
      ),
    };
    expect(await engineUnderTest().output(states, { l: [1, 2, 3] })).toEqual([10, 21, 32]);
  });

  test('without Items the input is mapped over; an object gives its members', async () => {
    const { output } = engineUnderTest();
    expect(await output({ M: inline(PASS) }, ['a', 'b'])).toEqual(['a', 'b']);
    const keys = inline({ P: { Type: 'Pass', Output: '{% $states.context.Map.Item.Key %}', End: true } });
    expect(await output({ M: keys }, { x: 1, y: 2 })).toEqual(['x', 'y']);
  });

  test('no items, no iterations', async () => {
    expect(await engineUnderTest().output({ M: inline(PASS) }, [])).toEqual([]);
  });

  test('what cannot be mapped over is an evaluation error', async () => {
    expect(await engineUnderTest().run({ M: inline(PASS) }, 5)).toMatchObject({
      error: 'States.QueryEvaluationError',
    });
  });

  test('the first failing iteration fails the map, the others are aborted', async () => {
    const { run, engine } = engineUnderTest();
    const States = {
      C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input = 2 %}', Next: 'F' }], Default: 'W' },
      F: { Type: 'Fail', Error: 'Second' },
      W: { Type: 'Wait', Seconds: 1_000_000, End: true },
    };
    const ended = await run({ M: inline(States) }, [1, 2]);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'Second' });
    const types = engine.events(ended.executionArn).map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(['MapIterationFailed', 'MapIterationAborted', 'MapStateFailed']),
    );
  });
});

describe('a Distributed Map', () => {
  test('runs every item as an execution of its own and gives their outputs in order', async () => {
    const { output, engine } = engineUnderTest();
    const states = {
      M: distributedOf({ P: { Type: 'Pass', Output: '{% $states.input * 2 %}', End: true } }),
    };
    expect(await output(states, [3, 1, 2])).toEqual([6, 2, 4]);
    const [parent, ...children] = engine.list();
    expect(children).toHaveLength(3);
    for (const child of children)
      expect(child).toMatchObject({
        status: 'SUCCEEDED',
        stateMachineArn: `${parent?.stateMachineArn}/M`,
        mapRunArn: expect.stringContaining(':mapRun:machine-1/M:') as string,
        itemCount: 1,
      });
  });

  test('children see their own context and none of the variables around', async () => {
    const States = {
      P: {
        Type: 'Pass',
        Output: {
          machine: '{% $states.context.StateMachine.Id %}',
          name: '{% $states.context.StateMachine.Name %}',
          input: '{% $states.context.Execution.Input %}',
          outer: '{% $exists($outer) %}',
        },
        End: true,
      },
    };
    const states = {
      A: { Type: 'Pass', Assign: { outer: 1 }, Next: 'M' },
      M: distributedOf(States, { Label: 'Each' }),
    };
    expect(await engineUnderTest().output(states, [7])).toEqual([
      {
        machine: 'arn:aws:states:eu-west-1:123456789012:stateMachine:machine-1/Each',
        name: 'machine-1',
        input: 7,
        outer: false,
      },
    ]);
  });

  test('the source of an item', async () => {
    const source = { s: '{% $states.context.Map.Item.Source %}' };
    const { output, objects } = engineUnderTest();
    expect(await output({ M: distributedOf(PASS, { ItemSelector: source }) }, [1])).toEqual([
      { s: 'STATE_DATA' },
    ]);
    objects.set('b/k.json', Buffer.from('[1]'));
    const ItemReader = {
      Resource: OBJECT,
      ReaderConfig: { InputType: 'JSON' },
      Arguments: { Bucket: 'b', Key: 'k.json' },
    };
    const read = distributedOf(PASS, { ItemSelector: source, ItemReader });
    expect(await output({ M: read })).toEqual([{ s: 's3://b/k.json' }]);
  });

  test.each<[string, string, JsonObject, Json]>([
    ['a JSON array', '[{"a":1},{"a":2}]', { InputType: 'JSON' }, [{ a: 1 }, { a: 2 }]],
    ['JSON Lines', '{"n":0}\n{"n":1}\n\n{"n":2}\n', { InputType: 'JSONL' }, [{ n: 0 }, { n: 1 }, { n: 2 }]],
    ['so many of them', '1\n2\n3', { InputType: 'JSONL', MaxItems: '{% $states.input.most %}' }, [1, 2]],
    ['an empty file of lines', '', { InputType: 'JSONL' }, []],
  ])('reads %s from S3', async (_name, body, ReaderConfig, expected) => {
    const { output, objects } = engineUnderTest();
    objects.set('bucket/some/key', Buffer.from(body));
    const Arguments = { Bucket: 'bucket', Key: "{% 'some/' & $states.input.k %}" };
    const states = { M: distributedOf(PASS, { ItemReader: { Resource: OBJECT, ReaderConfig, Arguments } }) };
    expect(await output(states, { k: 'key', most: 2 })).toEqual(expected);
  });

  test.each([
    ['a missing object', undefined, 'NoSuchKey'],
    ['what is no JSON', '{', 'is not valid JSON'],
    ['an object', '{"a":1}', 'Attempting to map over non-iterable node'],
  ])('%s is States.ItemReaderFailed', async (_name, body, cause) => {
    const { run, objects } = engineUnderTest();
    if (body !== undefined) objects.set('b/k', Buffer.from(body));
    const ItemReader = {
      Resource: OBJECT,
      ReaderConfig: { InputType: 'JSON' },
      Arguments: { Bucket: 'b', Key: 'k' },
    };
    const ended = await run({ M: distributedOf(PASS, { ItemReader }) });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed' });
    expect(ended.cause).toContain(cause);
  });

  test('batches by number, with the batch input', async () => {
    const ItemBatcher = {
      MaxItemsPerBatch: '{% $states.input.n %}',
      BatchInput: { j: '{% $states.input.j %}' },
    };
    const states = { M: distributedOf(PASS, { Items: '{% $states.input.l %}', ItemBatcher }) };
    const { output, engine } = engineUnderTest();
    expect(await output(states, { l: [1, 2, 3], j: 'J', n: 2 })).toEqual([
      { BatchInput: { j: 'J' }, Items: [1, 2] },
      { BatchInput: { j: 'J' }, Items: [3] },
    ]);
    const [run] = engine.mapRuns.ofExecution(engine.list()[0]?.executionArn ?? '');
    expect(run).toMatchObject({
      itemCounts: { total: 3, succeeded: 3 },
      executionCounts: { total: 2, succeeded: 2 },
    });
  });

  test('batches by bytes', async () => {
    const items = Array.from({ length: 10 }, (_, index) => ({ index, text: 'x'.repeat(100) }));
    const states = { M: distributedOf(PASS, { ItemBatcher: { MaxInputBytesPerBatch: 500 } }) };
    const batches = (await engineUnderTest().output(states, items)) as { Items: Json[] }[];
    expect(batches.flatMap(({ Items }) => Items)).toEqual(items);
    for (const batch of batches) expect(JSON.stringify(batch).length).toBeLessThanOrEqual(500);
    expect(batches.length).toBeLessThan(10);
  });

  test('no more children at once than MaxConcurrency, which may be an expression', async () => {
    let running = 0;
    let most = 0;
    const f = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    const { output } = engineUnderTest({ functions: { f } });
    const M = distributedOf(
      { T: callOf('f') },
      { MaxConcurrency: '{% $states.input.c %}', Items: '{% [1..12] %}' },
    );
    await output({ M }, { c: 3 });
    expect(most).toBe(3);
  });

  test('MaxConcurrency that is no number is an evaluation error', async () => {
    const M = distributedOf(PASS, { MaxConcurrency: "{% 'two' %}" });
    expect(await engineUnderTest().run({ M }, [1])).toMatchObject({ error: 'States.QueryEvaluationError' });
  });

  describe('failures', () => {
    const functions = { f: (n: number) => (n < 0 ? throwing('Negative') : n) };
    const map = (more: JsonObject) => ({ M: distributedOf({ T: callOf('f') }, more) });

    test.each<[string, JsonObject, number[], Json]>([
      ['within the percentage', { ToleratedFailurePercentage: 40 }, [1, -2, 3], [1, 3]],
      ['exactly at it', { ToleratedFailurePercentage: '{% 50 %}' }, [1, -2], [1]],
      ['within the count', { ToleratedFailureCount: 1 }, [1, -2, 3], [1, 3]],
      ['all of them, when 100 % may fail', { ToleratedFailurePercentage: 100 }, [-1, -2], []],
    ])('%s: the outputs of those that succeeded', async (_name, more, items, expected) => {
      expect(await engineUnderTest({ functions }).output(map(more), items)).toEqual(expected);
    });

    test.each<[string, JsonObject]>([
      ['none given', {}],
      ['above the percentage', { ToleratedFailurePercentage: 30 }],
      ['above the count', { ToleratedFailureCount: 1, ToleratedFailurePercentage: 90 }],
    ])('%s: the map fails', async (_name, more) => {
      const { run } = engineUnderTest({ functions });
      expect(await run(map({ MaxConcurrency: 1, ...more }), [1, -2, -3, 4])).toMatchObject({
        status: 'FAILED',
        error: 'States.ExceedToleratedFailureThreshold',
        cause: 'The specified tolerated failure threshold was exceeded',
      });
    });

    test('running children are aborted and pending ones never start', async () => {
      const States = {
        C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input = 1 %}', Next: 'F' }], Default: 'W' },
        F: { Type: 'Fail', Error: 'X' },
        W: { Type: 'Wait', Seconds: 1_000_000, End: true },
      };
      const { run, engine } = engineUnderTest();
      const ended = await run({ M: distributedOf(States, { MaxConcurrency: 2 }) }, [0, 1, 2, 3]);
      const [document] = engine.mapRuns.ofExecution(ended.executionArn);
      expect(document).toMatchObject({
        status: 'FAILED',
        itemCounts: { failed: 1, aborted: 1, pending: 2, total: 4 },
      });
      expect(engine.list()).toHaveLength(3);
    });

    test('a Catch takes it', async () => {
      const { output } = engineUnderTest({ functions });
      const Catch = [{ ErrorEquals: ['States.ExceedToleratedFailureThreshold'], Next: 'K' }];
      const K = { Type: 'Pass', Output: 'caught', End: true };
      expect(await output({ ...map({ Catch }), K }, [-1])).toBe('caught');
    });
  });

  describe('ResultWriter', () => {
    const functions = { f: (n: number) => (n < 0 ? throwing('Negative') : [n]) };
    const writer = (more: JsonObject = {}): JsonObject => ({
      Resource: 'arn:aws:states:::s3:putObject',
      Arguments: { Bucket: 'out', Prefix: "{% 'runs/' & $states.context.Execution.Name %}" },
      ...more,
    });
    const states = (more: JsonObject = {}) => ({
      M: distributedOf({ T: callOf('f') }, { ResultWriter: writer(more), ToleratedFailurePercentage: 50 }),
    });

    test('the state gives the address of the manifest, the files tell each child', async () => {
      const { output, objects } = engineUnderTest({ functions });
      const given = (await output(states(), [1, -2])) as {
        MapRunArn: string;
        ResultWriterDetails: { Bucket: string; Key: string };
      };
      const folder = `runs/run/${given.MapRunArn.split(':').at(-1)}`;
      expect(given.ResultWriterDetails).toEqual({ Bucket: 'out', Key: `${folder}/manifest.json` });
      const read = (key: string): unknown => JSON.parse(objects.get(`out/${key}`)?.toString() ?? 'null');
      expect(read(`${folder}/manifest.json`)).toEqual({
        DestinationBucket: 'out',
        MapRunArn: given.MapRunArn,
        ResultFiles: {
          FAILED: [
            { Key: `${folder}/FAILED_0.json`, Size: objects.get(`out/${folder}/FAILED_0.json`)?.length },
          ],
          PENDING: [],
          SUCCEEDED: [
            {
              Key: `${folder}/SUCCEEDED_0.json`,
              Size: objects.get(`out/${folder}/SUCCEEDED_0.json`)?.length,
            },
          ],
        },
      });
      expect(read(`${folder}/SUCCEEDED_0.json`)).toEqual([
        {
          ExecutionArn: expect.stringContaining(':execution:machine-1/M:') as string,
          Input: '1',
          InputDetails: { Included: true },
          Name: expect.any(String) as string,
          Output: '[1]',
          OutputDetails: { Included: true },
          RedriveCount: 0,
          RedriveStatus: 'NOT_REDRIVABLE',
          RedriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
          StartDate: expect.stringMatching(/Z$/) as string,
          StateMachineArn: expect.stringContaining(':stateMachine:machine-1/M') as string,
          Status: 'SUCCEEDED',
          StopDate: expect.stringMatching(/Z$/) as string,
        },
      ]);
      expect(read(`${folder}/FAILED_0.json`)).toEqual([
        expect.objectContaining({ Error: 'Negative', Input: '-2', Status: 'FAILED' }),
      ]);
    });

    test('FLATTEN as lines', async () => {
      const { output, objects } = engineUnderTest({ functions });
      await output(states({ WriterConfig: { Transformation: 'FLATTEN', OutputType: 'JSONL' } }), [1, 2]);
      const [, body] = [...objects].find(([key]) => key.endsWith('SUCCEEDED_0.jsonl')) ?? [];
      expect(body?.toString()).toBe('1\n2\n');
    });

    test('children that never started are told as pending', async () => {
      const { run, objects } = engineUnderTest({ functions });
      const M = distributedOf({ T: callOf('f') }, { ResultWriter: writer(), MaxConcurrency: 1 });
      expect(await run({ M }, [-1, 2])).toMatchObject({ error: 'States.ExceedToleratedFailureThreshold' });
      const [, body] = [...objects].find(([key]) => key.endsWith('PENDING_0.json')) ?? [];
      expect(JSON.parse(body?.toString() ?? '')).toEqual([
        { Input: '2', InputDetails: { Included: true }, Status: 'PENDING' },
      ]);
    });
  });

  test('of 400 children leaves memory to its summaries and all of them on disk', async () => {
    const { output, engine } = engineUnderTest();
    const states = {
      M: distributedOf(PASS, {
        Items: '{% [1..400] %}',
        ResultWriter: { WriterConfig: { Transformation: 'COMPACT' } },
      }),
    };
    expect(await output(states)).toHaveLength(400);
    const child = engine.list().at(-1)?.executionArn ?? '';
    expect(engine.events(child).map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'PassStateEntered',
      'PassStateExited',
      'ExecutionSucceeded',
    ]);
  });
});
