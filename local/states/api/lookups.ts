import { AwsError } from '../../wire';
import type { Engine } from '../executions/engine';
import type { ExecutionRecord } from '../executions/execution-record';
import type { StateMachine } from '../executions/state-machine';

/** @throws AwsError InvalidArn, ExecutionDoesNotExist */
export function recordOf(engine: Engine, executionArn: string): ExecutionRecord {
  if (!executionArn.includes(':execution:'))
    throw new AwsError(
      'InvalidArn',
      `Invalid Arn: 'Resource type not valid in this context: ${executionArn.split(':')[5] ?? ''}'`,
    );
  const record = engine.record(executionArn);
  if (!record) throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
  return record;
}

/** @throws AwsError InvalidArn, StateMachineDoesNotExist */
export function machineOf(engine: Engine, stateMachineArn: string): StateMachine {
  if (!stateMachineArn.includes(':stateMachine:'))
    throw new AwsError(
      'InvalidArn',
      `Invalid Arn: 'Resource type not valid in this context: ${stateMachineArn.split(':')[5] ?? ''}'`,
    );
  const machine = engine.stateMachines.get(stateMachineArn);
  if (!machine)
    throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
  return machine;
}
