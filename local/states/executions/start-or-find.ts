import { AwsError } from '../../wire';
import type { ExecutionTarget } from '../integrations/start-execution';
import type { Json } from '../json';
import { MAX_PAYLOAD_BYTES } from '../payload-limit';
import type { ExecutionRecord } from './execution-record';

/** Characters that no name in Step Functions may have (API reference, StartExecution). */
const BAD_NAME = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/;

/** @throws AwsError InvalidName */
export function checkName(name: string): void {
  if (name === '' || name.length > 80 || BAD_NAME.test(name))
    throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
}

/**
 * StartExecution: starts, or finds the running execution of the same name and input.
 * @throws AwsError as the API does.
 */
export function startOrFind(
  target: Pick<ExecutionTarget, 'stateMachines' | 'start' | 'record'>,
  stateMachineArn: string,
  name: string,
  input: string,
): ExecutionRecord {
  const machine = target.stateMachines.get(stateMachineArn);
  if (!machine)
    throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
  checkName(name);
  const value = parseInput(input);
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  const known = target.record(executionArn);
  if (!known) return target.start(machine, name, value);
  if (known.status === 'RUNNING' && known.input === JSON.stringify(value)) return known;
  throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
}

function parseInput(text: string): Json {
  if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES)
    throw new AwsError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: 'Input size exceeds ${MAX_PAYLOAD_BYTES} bytes'`,
    );
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${reason}'`);
  }
}
