import type { Json, JsonObject } from '../json';

/** Amazon States Language with JSONata, as far as this interpreter runs it (states-language.net, AWS Step Functions developer guide). */
export interface StateGraph {
  Comment?: string;
  QueryLanguage?: string;
  StartAt: string;
  States: Record<string, State>;
}

export interface StateMachineDefinition extends StateGraph {
  Version?: string;
  TimeoutSeconds?: number;
}

interface StateBase {
  Comment?: string;
  QueryLanguage?: string;
  Next?: string;
  End?: boolean;
  Output?: Json;
  Assign?: JsonObject;
}

export interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds?: number;
  BackoffRate?: number;
  MaxAttempts?: number;
  MaxDelaySeconds?: number;
  JitterStrategy?: 'NONE' | 'FULL';
  Comment?: string;
}

export interface Catcher {
  ErrorEquals: string[];
  Next: string;
  Output?: Json;
  Assign?: JsonObject;
  Comment?: string;
}

interface Guarded {
  Retry?: Retrier[];
  Catch?: Catcher[];
}

export interface PassState extends StateBase {
  Type: 'Pass';
}
export interface SucceedState extends StateBase {
  Type: 'Succeed';
}
export interface FailState extends StateBase {
  Type: 'Fail';
  Error?: string;
  Cause?: string;
}
export interface WaitState extends StateBase {
  Type: 'Wait';
  Seconds?: number | string;
  Timestamp?: string;
}
export interface ChoiceRule {
  Condition: string | boolean;
  Next: string;
  Output?: Json;
  Assign?: JsonObject;
  Comment?: string;
}
export interface ChoiceState extends StateBase {
  Type: 'Choice';
  Choices: ChoiceRule[];
  Default?: string;
}
export interface TaskState extends StateBase, Guarded {
  Type: 'Task';
  Resource: string;
  Arguments?: Json;
  TimeoutSeconds?: number | string;
}
export interface ParallelState extends StateBase, Guarded {
  Type: 'Parallel';
  Branches: StateGraph[];
  Arguments?: Json;
}

export interface ItemProcessor extends StateGraph {
  ProcessorConfig?: { Mode?: 'INLINE' | 'DISTRIBUTED'; ExecutionType?: 'STANDARD' | 'EXPRESS' };
}
export interface ItemReader {
  Resource: string;
  Arguments?: Json;
  ReaderConfig?: { InputType?: 'JSON' | 'JSONL'; MaxItems?: number | string };
}
export interface ItemBatcher {
  MaxItemsPerBatch?: number | string;
  MaxInputBytesPerBatch?: number | string;
  BatchInput?: Json;
}
export interface ResultWriter {
  Resource?: string;
  Arguments?: Json;
  WriterConfig?: { Transformation?: 'NONE' | 'COMPACT' | 'FLATTEN'; OutputType?: 'JSON' | 'JSONL' };
}
export interface MapState extends StateBase, Guarded {
  Type: 'Map';
  ItemProcessor: ItemProcessor;
  Items?: Json;
  ItemReader?: ItemReader;
  ItemSelector?: Json;
  ItemBatcher?: ItemBatcher;
  ResultWriter?: ResultWriter;
  MaxConcurrency?: number | string;
  ToleratedFailurePercentage?: number | string;
  ToleratedFailureCount?: number | string;
  Label?: string;
}

export type State =
  PassState | SucceedState | FailState | WaitState | ChoiceState | TaskState | ParallelState | MapState;

/** Whether a Map runs each item (or batch) as an execution of its own. */
export const isDistributed = (state: MapState): boolean =>
  state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED';
