import type { JsonObject } from '../../../local/states/json';
import { engineUnderTest } from './engine-under-test';

const CHILD = 'arn:aws:states:eu-west-1:123456789012:stateMachine:child';
const child = (States: JsonObject): string =>
  JSON.stringify({ QueryLanguage: 'JSONata', StartAt: Object.keys(States)[0], States });
const DOUBLE = child({ P: { Type: 'Pass', Output: { twice: '{% $states.input.a * 2 %}' }, End: true } });
const start = (mode: string, more: JsonObject = {}): { T: JsonObject } => ({
  T: {
    Type: 'Task',
    Resource: `arn:aws:states:::states:startExecution${mode}`,
    Arguments: { StateMachineArn: CHILD, Input: '{% $states.input %}', Name: 'nested' },
    ...('Next' in more ? {} : { End: true }),
    ...more,
  },
});

test.each<[string, unknown, unknown]>([
  ['.sync:2', { a: 2 }, { twice: 4 }],
  ['.sync', '{"a":2}', '{"twice":4}'],
])('startExecution%s waits and gives input and output', async (mode, Input, Output) => {
  const { engine, output } = engineUnderTest();
  engine.putStateMachine('child', DOUBLE);
  expect(await output(start(mode), { a: 2 })).toMatchObject({
    ExecutionArn: CHILD.replace('stateMachine', 'execution') + ':nested',
    Name: 'nested',
    Status: 'SUCCEEDED',
    StateMachineArn: CHILD,
    Input,
    Output,
  });
});

test('startExecution alone does not wait', async () => {
  const { engine, output } = engineUnderTest();
  engine.putStateMachine('child', child({ W: { Type: 'Wait', Seconds: 1_000_000, End: true } }));
  const given = (await output(start(''), { a: 2 })) as { ExecutionArn: string };
  expect(engine.record(given.ExecutionArn)).toMatchObject({ status: 'RUNNING' });
  await engine.close();
});

test('a failed execution is States.TaskFailed, its error and cause are in the cause', async () => {
  const { engine, run } = engineUnderTest();
  engine.putStateMachine('child', child({ F: { Type: 'Fail', Error: 'Mine', Cause: 'because' } }));
  const ended = await run(start('.sync:2'), { a: 2 });
  expect(ended.error).toBe('States.TaskFailed');
  expect(JSON.parse(ended.cause ?? '')).toMatchObject({
    Status: 'FAILED',
    Error: 'Mine',
    Cause: 'because',
    Name: 'nested',
    Input: '{"a":2}',
  });
});

test('the events tell what was submitted', async () => {
  const { engine, run } = engineUnderTest();
  engine.putStateMachine('child', DOUBLE);
  const ended = await run(start('.sync:2'), { a: 2 });
  const submitted = engine.events(ended.executionArn).find(({ type }) => type === 'TaskSubmitted');
  expect(submitted?.taskSubmittedEventDetails).toMatchObject({
    resourceType: 'states',
    resource: 'startExecution.sync:2',
    output: expect.stringContaining(':execution:child:nested') as string,
  });
});

test('stopping the one that waits stops the one it waits for', async () => {
  const { engine, run } = engineUnderTest();
  engine.putStateMachine('child', child({ W: { Type: 'Wait', Seconds: 1_000_000, End: true } }));
  const running = run(start('.sync:2'), { a: 2 });
  while (engine.list().length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  const [parent, nested] = engine.list();
  engine.stop(parent?.executionArn ?? '', 'E', 'enough');
  expect(await running).toMatchObject({ status: 'ABORTED', cause: 'enough' });
  expect(await engine.ended(nested?.executionArn ?? '')).toMatchObject({ status: 'ABORTED' });
});

test.each([
  ['a machine that is not there', 'other', 'StepFunctions.StateMachineDoesNotExistException'],
  ['a name that is taken', 'child', 'StepFunctions.ExecutionAlreadyExistsException'],
])('%s', async (_what, name, error) => {
  const { engine, run } = engineUnderTest();
  const machine = engine.putStateMachine(name, DOUBLE);
  await engine.ended(engine.start(machine, 'nested', {}).executionArn);
  expect(await run(start('.sync:2'), { a: 2 })).toMatchObject({ status: 'FAILED', error });
});
