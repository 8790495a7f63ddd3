import type {
  CreateStateMachineInput,
  DeleteStateMachineInput,
  DescribeStateMachineForExecutionInput,
  DescribeStateMachineInput,
  ListStateMachinesInput,
  UpdateStateMachineInput,
} from '@aws-sdk/client-sfn';
import { AwsError } from '../../wire';
import type { Engine } from '../executions/engine';
import { checkName } from '../executions/start-or-find';
import type { StateMachine } from '../executions/state-machine';
import { machineOf, recordOf } from './lookups';
import { pageOf } from './page';

/** What every machine here has: nothing is logged, traced or encrypted by the emulated service. */
const SETTINGS = {
  loggingConfiguration: { level: 'OFF' as const, includeExecutionData: false },
  tracingConfiguration: { enabled: false },
  encryptionConfiguration: { type: 'AWS_OWNED_KEY' as const },
};

export const stateMachineOperations = (engine: Engine) => ({
  CreateStateMachine({ name = '', definition = '', type = 'STANDARD', roleArn }: CreateStateMachineInput) {
    checkName(name);
    if (type !== 'STANDARD')
      throw new AwsError('StateMachineTypeNotSupported', `State machine type ${type} is not supported here.`);
    const known = engine.stateMachines.get(engine.arn('stateMachine', name));
    if (known && known.definitionText !== definition)
      throw new AwsError(
        'StateMachineAlreadyExists',
        `State Machine Already Exists: '${known.stateMachineArn}'`,
      );
    const machine = known ?? engine.putStateMachine(name, definition, roleArn);
    return { stateMachineArn: machine.stateMachineArn, creationDate: machine.creationDate };
  },

  UpdateStateMachine({ stateMachineArn = '', definition }: UpdateStateMachineInput) {
    const machine = machineOf(engine, stateMachineArn);
    if (definition !== undefined) engine.putStateMachine(machine.name, definition);
    return { updateDate: new Date() };
  },

  DeleteStateMachine({ stateMachineArn = '' }: DeleteStateMachineInput) {
    engine.stateMachines.delete(stateMachineArn);
  },

  DescribeStateMachine({ stateMachineArn = '' }: DescribeStateMachineInput) {
    const { name, definitionText, roleArn, creationDate } = machineOf(engine, stateMachineArn);
    return {
      stateMachineArn,
      name,
      status: 'ACTIVE' as const,
      definition: definitionText,
      roleArn,
      type: 'STANDARD' as const,
      creationDate,
      ...SETTINGS,
    };
  },

  DescribeStateMachineForExecution({ executionArn = '' }: DescribeStateMachineForExecutionInput) {
    const { stateMachineArn, mapRunArn } = recordOf(engine, executionArn);
    const [machineArn = '', label] = stateMachineArn.split('/');
    const machine = machineOf(engine, machineArn);
    const mapRun = mapRunArn === undefined ? undefined : engine.mapRun(mapRunArn);
    return {
      stateMachineArn,
      name: machine.name,
      definition: mapRun ? JSON.stringify(mapRun.definition) : machine.definitionText,
      roleArn: machine.roleArn,
      updateDate: machine.creationDate,
      ...(mapRun && { mapRunArn, label }),
      ...SETTINGS,
    };
  },

  ListStateMachines(page: ListStateMachinesInput) {
    const { items, nextToken } = pageOf([...engine.stateMachines.values()], page);
    const type = 'STANDARD' as const;
    return {
      stateMachines: items.map(({ stateMachineArn, name, creationDate }: StateMachine) => ({
        stateMachineArn,
        name,
        type,
        creationDate,
      })),
      nextToken,
    };
  },
});
