import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Clock } from '../../clock';
import { withDeadline } from '../abort';
import type { StateGraph } from '../definition/definition';
import { parseDefinition } from '../definition/validate';
import { MapRun, type MapRunDocument } from '../distributed-map/map-run';
import type { StoredEvent } from '../history-event';
import { createIntegrations, type TaskTargets } from '../integrations/integrations';
import type { Integrations } from '../integrations/integration';
import { Interpreter } from '../interpreter';
import type { Json } from '../json';
import { payloadText } from '../payload-limit';
import type { MapRunChild, MapRuns, ObjectStore } from '../services';
import { ExecutionTimedOut } from '../states-error';
import { Variables } from '../variables';
import type { ExecutionRecord, ExecutionSummary } from './execution-record';
import { ExecutionStore } from './execution-store';
import { LiveExecution } from './live-execution';
import { MapRunStore } from './map-run-store';
import type { StateMachine } from './state-machine';

export interface EngineOptions {
  /** Where executions and Map Runs are kept. */
  readonly folder: string;
  readonly clock: Clock;
  /** For TimeoutSeconds. @default the same clock */
  readonly deadlineClock?: Clock;
  readonly region: string;
  readonly accountId: string;
  /** What tasks can call. */
  readonly targets: TaskTargets;
  readonly objects: ObjectStore;
  /** Jitter of retries. @default Math.random */
  readonly random?: () => number;
}

interface Start {
  readonly stateMachineArn: string;
  /** Without the label of a Map Run. */
  readonly machineName: string;
  readonly name: string;
  readonly definition: StateGraph & { TimeoutSeconds?: number };
  readonly input: Json;
  readonly mapRunArn?: string;
  readonly itemCount?: number;
}

/** State machines and their executions, running and ended. */
export class Engine implements MapRuns {
  readonly stateMachines = new Map<string, StateMachine>();
  readonly store: ExecutionStore;
  readonly mapRuns: MapRunStore;
  readonly integrations: Integrations;
  private readonly interpreter: Interpreter;
  private readonly live = new Map<string, { execution: LiveExecution; ended: Promise<ExecutionRecord> }>();

  constructor(private readonly options: EngineOptions) {
    const { clock, deadlineClock = clock, random = Math.random, region, objects, folder } = options;
    this.store = new ExecutionStore(path.join(folder, 'executions'));
    this.mapRuns = new MapRunStore(path.join(folder, 'map-runs'), clock.now());
    this.integrations = createIntegrations({ ...options.targets, executions: this });
    const { integrations } = this;
    this.interpreter = new Interpreter({
      clock,
      deadlineClock,
      random,
      region,
      objects,
      integrations,
      mapRuns: this,
    });
    this.endLost();
  }

  get roleArn(): string {
    return `arn:aws:iam::${this.options.accountId}:role/imageelves-local`;
  }

  arn(kind: string, rest: string): string {
    return `arn:aws:states:${this.options.region}:${this.options.accountId}:${kind}:${rest}`;
  }

  /** Creates the machine, or gives the one of this name another definition. @throws DefinitionError */
  putStateMachine(name: string, definitionText: string, roleArn = this.roleArn): StateMachine {
    const definition = parseDefinition(definitionText, this.integrations);
    const stateMachineArn = this.arn('stateMachine', name);
    const known = this.stateMachines.get(stateMachineArn);
    if (known) return Object.assign(known, { definition, definitionText });
    const creationDate = this.options.clock.now();
    const machine = { stateMachineArn, name, roleArn, creationDate, definition, definitionText };
    this.stateMachines.set(stateMachineArn, machine);
    return machine;
  }

  /** @throws StatesError States.DataLimitExceeded when the input is larger than a payload may be. */
  start(machine: StateMachine, name: string, input: Json): ExecutionRecord {
    const { stateMachineArn, definition } = machine;
    return this.launch({ stateMachineArn, machineName: machine.name, name, definition, input }).record;
  }

  stop(executionArn: string, error?: string, cause?: string): void {
    this.live.get(executionArn)?.execution.stop(error, cause);
  }

  /** Resolves when the execution has ended; undefined when there is none of this ARN. */
  async ended(executionArn: string): Promise<ExecutionRecord | undefined> {
    return (await this.live.get(executionArn)?.ended) ?? this.store.read(executionArn);
  }

  record(executionArn: string): ExecutionRecord | undefined {
    return this.live.get(executionArn)?.execution.record ?? this.store.read(executionArn);
  }

  events(executionArn: string): StoredEvent[] {
    return this.live.get(executionArn)?.execution.events ?? this.store.events(executionArn);
  }

  list(): ExecutionSummary[] {
    return this.store.list();
  }

  mapRun(mapRunArn: string): MapRunDocument | undefined {
    return this.mapRuns.find(mapRunArn);
  }

  /** Stops what runs and waits until it is written down. */
  async close(): Promise<void> {
    const running = [...this.live.values()];
    for (const { execution } of running) execution.stop(undefined, 'The embedded cloud was stopped.');
    await Promise.all(running.map(({ ended }) => ended));
  }

  open(facts: Parameters<MapRuns['open']>[0]): MapRun {
    const mapRun = new MapRun({ ...facts, startDate: this.options.clock.now().getTime() });
    this.mapRuns.save(mapRun);
    return mapRun;
  }

  closed(mapRun: MapRun): void {
    this.mapRuns.save(mapRun);
  }

  async runChild({
    mapRun,
    parent,
    input,
    itemCount,
    signal,
    started,
  }: MapRunChild): Promise<ExecutionRecord> {
    const { mapRunArn, stateMachineArn, definition } = mapRun.document;
    const machineName = parent.stateMachineName;
    const name = randomUUID();
    const child = { stateMachineArn, machineName, name, definition, input, mapRunArn, itemCount };
    const { execution, ended } = this.launch(child);
    started();
    const stop = (): void => execution.stop();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await ended;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private launch(start: Start) {
    const { stateMachineArn, machineName, name, definition, input, mapRunArn, itemCount } = start;
    const record: ExecutionRecord = {
      executionArn: `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`,
      stateMachineArn,
      name,
      input: payloadText(input, 'execution input'),
      startDate: this.options.clock.now().getTime(),
      redriveCount: 0,
      status: 'RUNNING',
      mapRunArn,
      itemCount,
    };
    const { store } = this;
    const execution = new LiveExecution(record, input, machineName, this.roleArn, store, this.options.clock);
    const ended = this.runToEnd(execution, definition);
    this.live.set(record.executionArn, { execution, ended });
    return { execution, ended, record };
  }

  private async runToEnd(
    execution: LiveExecution,
    definition: Start['definition'],
  ): Promise<ExecutionRecord> {
    const { clock, deadlineClock = clock } = this.options;
    await Promise.resolve();
    const work = (signal: AbortSignal): Promise<Json> =>
      this.interpreter.runGraph(definition, execution.input, {
        run: execution,
        variables: new Variables(),
        trail: execution.trail,
        signal,
      });
    const timeout = (): Error => new ExecutionTimedOut();
    try {
      const output = await withDeadline(
        definition.TimeoutSeconds,
        deadlineClock,
        execution.signal,
        work,
        timeout,
      );
      execution.succeed(payloadText(output, 'execution output'));
    } catch (error) {
      execution.fail(error);
    }
    this.live.delete(execution.executionArn);
    return execution.record;
  }

  /** Executions that were running when the last process died can not go on: they are written down as aborted. */
  private endLost(): void {
    for (const { executionArn, status } of this.store.list()) {
      const record = status === 'RUNNING' ? this.store.read(executionArn) : undefined;
      if (!record) continue;
      const cause = 'The embedded cloud ended while the execution was running.';
      const last = this.store.events(executionArn).at(-1)?.id ?? 0;
      const at = this.options.clock.now().getTime();
      const details = { executionAbortedEventDetails: { cause } };
      this.store.append(executionArn, [
        { timestamp: at, type: 'ExecutionAborted', id: last + 1, previousEventId: last, ...details },
      ]);
      this.store.save({ ...record, status: 'ABORTED', stopDate: at, cause });
    }
  }
}
