import type { EventDetails, EventTrail, EventType } from './history-event';
import type { Json, JsonObject } from './json';
import type { Variables } from './variables';

/** The facts of one execution that its states see in `$states.context`, and its history. */
export interface ExecutionRun {
  readonly executionArn: string;
  readonly name: string;
  readonly input: Json;
  readonly startDate: Date;
  readonly roleArn: string;
  /** Of a Map Run's child: `$machine/$label`. */
  readonly stateMachineArn: string;
  readonly stateMachineName: string;
  readonly redriveCount: number;
  /** Writes an event behind the trail's last one and returns its id. @throws StatesError when the history is full. */
  note(trail: EventTrail, type: EventType, details?: EventDetails): number;
}

/** `$states.context.Map.Item`. */
export interface MapItem {
  readonly index: number;
  readonly value: Json;
  readonly key?: string;
  /** Distributed only: `STATE_DATA`, or the S3 address the item was read from. */
  readonly source?: string;
}

/** One line of states of one execution: the whole of it, a branch of a Parallel, or an iteration of an inline Map. */
export interface Branch {
  readonly run: ExecutionRun;
  readonly variables: Variables;
  readonly trail: EventTrail;
  readonly signal: AbortSignal;
  readonly mapItem?: MapItem | undefined;
}

export const mapItemContext = ({ index, value, key, source }: MapItem): JsonObject => ({
  Item: {
    Index: index,
    Value: value,
    ...(key !== undefined && { Key: key }),
    ...(source !== undefined && { Source: source }),
  },
});
