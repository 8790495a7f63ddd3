import type { StateMachineDefinition } from '../definition/definition';

/** A state machine as it was created or last updated. */
export interface StateMachine {
  readonly stateMachineArn: string;
  readonly name: string;
  readonly roleArn: string;
  readonly creationDate: Date;
  definition: StateMachineDefinition;
  /** As it was given: what DescribeStateMachine answers. */
  definitionText: string;
}
