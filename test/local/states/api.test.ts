import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  StartExecutionCommand,
  StopExecutionCommand,
  UpdateStateMachineCommand,
  type HistoryEvent,
} from '@aws-sdk/client-sfn';
import type { JsonObject } from '../../../local/states/json';
import { callOf, distributedOf, engineUnderTest } from './engine-under-test';
import { statesUnderTest } from './states-client';

const definitionOf = (States: JsonObject, more: object = {}): string =>
  JSON.stringify({ QueryLanguage: 'JSONata', StartAt: Object.keys(States)[0], States, ...more });
const PASS = definitionOf({ P: { Type: 'Pass', End: true } });
const WAIT = definitionOf({ W: { Type: 'Wait', Seconds: 1_000_000, End: true } });

async function machine(definition: string, options: Parameters<typeof statesUnderTest>[0] = {}) {
  const under = statesUnderTest(options);
  const create = new CreateStateMachineCommand({
    name: 'm',
    definition,
    roleArn: 'arn:aws:iam::123456789012:role/r',
  });
  const { stateMachineArn = '' } = await under.client.send(create);
  const start = (name: string, input?: string) =>
    under.client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
  const describe = (executionArn = '') => under.client.send(new DescribeExecutionCommand({ executionArn }));
  const end = async (executionArn = '') => {
    await under.engine.ended(executionArn);
    return describe(executionArn);
  };
  return { ...under, stateMachineArn, start, describe, end };
}

describe('state machines', () => {
  test('are created, listed, described, updated and deleted', async () => {
    const { client, stateMachineArn, start, end } = await machine(PASS);
    const { stateMachines } = await client.send(new ListStateMachinesCommand({}));
    expect(stateMachines?.map(({ name }) => name)).toEqual(['m']);
    expect(await client.send(new DescribeStateMachineCommand({ stateMachineArn }))).toMatchObject({
      name: 'm',
      definition: PASS,
      status: 'ACTIVE',
      type: 'STANDARD',
    });
    const definition = definitionOf({ P: { Type: 'Pass', Output: 'new', End: true } });
    await client.send(new UpdateStateMachineCommand({ stateMachineArn, definition }));
    const { executionArn } = await start('a');
    expect(await end(executionArn)).toMatchObject({ output: '"new"' });
    await client.send(new DeleteStateMachineCommand({ stateMachineArn }));
    await expect(start('b')).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
  });

  test('the same creation again is the same machine, another of the name is refused', async () => {
    const { client, stateMachineArn } = await machine(PASS);
    const roleArn = 'arn:aws:iam::123456789012:role/r';
    const again = await client.send(new CreateStateMachineCommand({ name: 'm', definition: PASS, roleArn }));
    expect(again.stateMachineArn).toBe(stateMachineArn);
    await expect(
      client.send(new CreateStateMachineCommand({ name: 'm', definition: WAIT, roleArn })),
    ).rejects.toMatchObject({ name: 'StateMachineAlreadyExists' });
  });
});

describe('executions', () => {
  test('StartExecution again with name and input finds the running execution', async () => {
    const { client, start } = await machine(WAIT);
    const first = await start('a', '{"x":1}');
    expect(await start('a', '{"x":1}')).toMatchObject({
      executionArn: first.executionArn,
      startDate: first.startDate,
    });
    const other = {
      name: 'ExecutionAlreadyExists',
      message: `Execution Already Exists: '${first.executionArn}'`,
    };
    await expect(start('a', '{"x":2}')).rejects.toMatchObject(other);
    await client.send(new StopExecutionCommand({ executionArn: first.executionArn }));
    await expect(start('a', '{"x":1}')).rejects.toMatchObject(other);
  });

  test.each([
    ['a name with a space', { name: 'a b' }, 'InvalidName'],
    ['a long name', { name: 'x'.repeat(81) }, 'InvalidName'],
    ['input that is no JSON', { name: 'a', input: '{' }, 'InvalidExecutionInput'],
    [
      'input above 256 KiB',
      { name: 'a', input: JSON.stringify('x'.repeat(262_143)) },
      'InvalidExecutionInput',
    ],
  ])('%s is refused', async (_what, { name, input }: { name: string; input?: string }, error) => {
    const { start } = await machine(PASS);
    await expect(start(name, input)).rejects.toMatchObject({ name: error });
  });

  test('what does not exist, and what is no execution', async () => {
    const { describe: look, stateMachineArn } = await machine(PASS);
    const executionArn = `${stateMachineArn.replace('stateMachine', 'execution')}:none`;
    await expect(look(executionArn)).rejects.toMatchObject({
      name: 'ExecutionDoesNotExist',
      message: `Execution Does Not Exist: '${executionArn}'`,
    });
    await expect(look(stateMachineArn)).rejects.toMatchObject({ name: 'InvalidArn' });
  });

  test('StopExecution aborts with error and cause, and what was waited for ends', async () => {
    const { client, start, describe: look } = await machine(WAIT);
    const { executionArn } = await start('a');
    expect(await look(executionArn)).toMatchObject({ status: 'RUNNING' });
    await client.send(new StopExecutionCommand({ executionArn, error: 'E', cause: 'enough' }));
    expect(await look(executionArn)).toMatchObject({ status: 'ABORTED', error: 'E', cause: 'enough' });
  });

  test('lists are newest first, by status, in pages', async () => {
    const { client, stateMachineArn, start, end } = await machine(PASS);
    for (const name of ['a', 'b', 'c']) await end((await start(name)).executionArn);
    const list = (more: object) => client.send(new ListExecutionsCommand({ stateMachineArn, ...more }));
    const first = await list({ maxResults: 2 });
    const rest = await list({ maxResults: 2, nextToken: first.nextToken });
    const names = [...(first.executions ?? []), ...(rest.executions ?? [])].map(({ name }) => name);
    expect(names).toEqual(['c', 'b', 'a']);
    expect(rest.nextToken).toBeUndefined();
    expect((await list({ statusFilter: 'FAILED' })).executions).toEqual([]);
    await expect(list({ nextToken: 'bogus' })).rejects.toMatchObject({ name: 'InvalidToken' });
  });
});

describe('the history', () => {
  const eventsOf = async (
    definition: string,
    options: Parameters<typeof statesUnderTest>[0] = {},
    input = '{}',
  ) => {
    const { client, start, end } = await machine(definition, options);
    const { executionArn } = await start('a', input);
    await end(executionArn);
    const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    return events;
  };
  const lines = (events: HistoryEvent[]): string[] =>
    events.map(({ id, previousEventId, type }) => `${id} ${previousEventId} ${type}`);

  test('of a task: types, links and details', async () => {
    const functions = { f: () => ({ r: 1 }) };
    const events = await eventsOf(
      definitionOf({ T: callOf('f', { Assign: { v: [1] } }) }),
      { functions },
      '{"a":1}',
    );
    expect(lines(events)).toEqual([
      '1 0 ExecutionStarted',
      '2 0 TaskStateEntered',
      '3 2 TaskScheduled',
      '4 3 TaskStarted',
      '5 4 TaskSucceeded',
      '6 5 TaskStateExited',
      '7 6 ExecutionSucceeded',
    ]);
    expect(events[0]?.executionStartedEventDetails).toMatchObject({ input: '{"a":1}' });
    expect(events[1]?.stateEnteredEventDetails).toMatchObject({ name: 'T', input: '{"a":1}' });
    expect(events[2]?.taskScheduledEventDetails).toMatchObject({
      resourceType: 'lambda',
      resource: 'invoke',
      region: 'eu-west-1',
    });
    expect(JSON.parse(events[4]?.taskSucceededEventDetails?.output ?? '')).toMatchObject({
      Payload: { r: 1 },
    });
    expect(events[5]?.stateExitedEventDetails).toMatchObject({
      name: 'T',
      output: '{"r":1}',
      assignedVariables: { v: '[1]' },
    });
    expect(events[6]?.executionSucceededEventDetails).toMatchObject({ output: '{"r":1}' });
  });

  test('of a retried task shows every attempt', async () => {
    let calls = 0;
    const functions = {
      f: () => {
        if (++calls === 1) throw new TypeError('first');
        return null;
      },
    };
    const events = await eventsOf(
      definitionOf({ T: callOf('f', { Retry: [{ ErrorEquals: ['TypeError'] }] }) }),
      {
        functions,
      },
    );
    expect(events.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      ...['TaskScheduled', 'TaskStarted', 'TaskFailed'],
      ...['TaskScheduled', 'TaskStarted', 'TaskSucceeded'],
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });

  test('branches link to their own events', async () => {
    const branch = (name: string) => ({ StartAt: name, States: { [name]: { Type: 'Pass', End: true } } });
    const events = await eventsOf(
      definitionOf({ P: { Type: 'Parallel', Branches: [branch('A'), branch('B')], End: true } }),
    );
    const started = events.find(({ type }) => type === 'ParallelStateStarted')?.id;
    const entered = events.filter(({ type }) => type === 'PassStateEntered');
    expect(entered.map(({ previousEventId }) => previousEventId)).toEqual([started, started]);
    for (const exit of events.filter(({ type }) => type === 'PassStateExited')) {
      const before = events.find(({ id }) => id === exit.previousEventId);
      expect(before?.stateEnteredEventDetails?.name).toBe(exit.stateExitedEventDetails?.name);
    }
  });

  test('can be read backwards', async () => {
    const { client, start, end } = await machine(PASS);
    const { executionArn } = await start('a');
    await end(executionArn);
    const { events } = await client.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }),
    );
    expect(events?.map(({ type }) => type)).toEqual(['ExecutionSucceeded']);
  });
});

describe('on disk', () => {
  test('another engine on the same folder knows every execution and its history', async () => {
    const before = engineUnderTest();
    const ended = await before.run({ M: distributedOf({ P: { Type: 'Pass', End: true } }) }, [1, 2]);
    const after = engineUnderTest({ folder: before.folder }).engine;
    expect(after.record(ended.executionArn)).toEqual(ended);
    expect(after.events(ended.executionArn)).toEqual(before.engine.events(ended.executionArn));
    expect(new Set(after.list())).toEqual(new Set(before.engine.list()));
    expect(after.mapRuns.ofExecution(ended.executionArn)).toEqual(
      before.engine.mapRuns.ofExecution(ended.executionArn),
    );
  });

  test('what was running when the process died is told as aborted', async () => {
    const { engine, folder } = engineUnderTest();
    const { executionArn } = engine.start(engine.putStateMachine('m', WAIT), 'lost', {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    const after = engineUnderTest({ folder }).engine;
    expect(after.record(executionArn)).toMatchObject({
      status: 'ABORTED',
      cause: 'The embedded cloud ended while the execution was running.',
    });
    expect(after.events(executionArn).map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'WaitStateEntered',
      'ExecutionAborted',
    ]);
    await engine.close();
  });
});
