import type { InstanceStateChange, InstanceStateName } from '@aws-sdk/client-ec2';
import type { Machines } from '../instances/machines';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { InstanceRecord, InstanceState } from '../state/resources';
import { AwsError } from '../wire';
import { attachedDisks } from './attached-disks';
import { volumesOf } from './attachments';
import { deleteVolume } from './delete-volume';

export const STATE_CODES: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

const USER_SHUTDOWN = {
  Code: 'Client.UserInitiatedShutdown',
  Message: 'Client.UserInitiatedShutdown: User initiated shutdown',
};

/** Part of the way from running to terminated that the machine itself takes; the rest goes into taking things from it. */
const SHUTDOWN_PART = 0.7;

/**
 * Takes instances from state to state. A state lasts as long as the cloud's clock says, and at least as long as the
 * machine behind it needs. Every transition goes into the event log.
 */
export class InstanceLifecycle {
  private readonly underWay = new Set<Promise<void>>();
  private readonly closing = new AbortController();

  constructor(
    private readonly state: LocalEc2State,
    private readonly machines: Machines,
  ) {
    machines.onPowerOff((instanceId) => this.poweredOff(instanceId));
  }

  /** Brings back what an earlier process of this cloud left: running instances are booted again, the rest settles. */
  resume(): void {
    for (const instance of this.state.instances.values()) {
      if (instance.state === 'running' || instance.state === 'pending') {
        this.background(instance, () => this.boot(instance, 'the embedded cloud was started again'));
      } else if (instance.state === 'stopping')
        this.moveTo(instance, 'stopped', 'the embedded cloud was started again');
      else if (instance.state === 'shutting-down')
        this.background(instance, () => this.finishTermination(instance));
    }
  }

  start(instance: InstanceRecord): InstanceStateChange {
    const previous = instance.state;
    if (previous === 'running' || previous === 'pending') return this.change(instance, previous, previous);
    if (previous !== 'stopped')
      throw new AwsError(
        'IncorrectInstanceState',
        `The instance '${instance.instanceId}' is not in a state from which it can be started.`,
      );
    const root = this.rootVolume(instance);
    if (!root)
      throw new AwsError(
        'IncorrectInstanceState',
        `Invalid value '${instance.instanceId}' for instanceId. Instance does not have a volume attached at root (${instance.rootDeviceName})`,
      );
    this.launch(instance, 'StartInstances');
    return this.change(instance, previous, 'pending');
  }

  /** Puts a stopped or new instance on its way to `running`. */
  launch(instance: InstanceRecord, reason: string): void {
    instance.launchTime = Math.floor(this.state.now() / 1000) * 1000;
    this.moveTo(instance, 'pending', reason);
    this.background(instance, () => this.boot(instance, reason));
  }

  stop(instance: InstanceRecord): InstanceStateChange {
    const previous = instance.state;
    if (previous === 'stopped' || previous === 'stopping') return this.change(instance, previous, previous);
    if (previous !== 'running')
      throw new AwsError(
        'IncorrectInstanceState',
        `This instance '${instance.instanceId}' is not in a state from which it can be stopped.`,
      );
    this.noteShutdown(instance);
    this.moveTo(instance, 'stopping', 'StopInstances');
    this.background(instance, async () => {
      await Promise.all([
        this.machines.shutDown(instance.instanceId),
        this.wait(this.state.timings.instanceStopping),
      ]);
      this.moveTo(instance, 'stopped', 'StopInstances');
    });
    return this.change(instance, previous, 'stopping');
  }

  terminate(instance: InstanceRecord): InstanceStateChange {
    const previous = instance.state;
    if (previous === 'terminated' || previous === 'shutting-down')
      return this.change(instance, previous, previous);
    this.noteShutdown(instance);
    // Reads lag behind the answer for a running one; of a stopped one the answer says more than reads do.
    if (previous !== 'stopped')
      instance.shown = { state: previous, until: this.state.now() + this.state.timings.terminateVisible };
    this.moveTo(instance, 'shutting-down', 'TerminateInstances');
    if (previous === 'stopped') release(instance);
    this.background(instance, () => this.finishTermination(instance));
    return this.change(instance, previous, previous === 'stopped' ? 'terminated' : 'shutting-down');
  }

  /** Off and on again, without a change of state. */
  reboot(instance: InstanceRecord): void {
    if (instance.state !== 'running')
      throw new AwsError(
        'IncorrectState',
        `Instance '${instance.instanceId}' is not in a state from which it can be rebooted.`,
      );
    this.background(instance, async () => {
      await this.machines.shutDown(instance.instanceId);
      await this.boot(instance, 'RebootInstances');
    });
  }

  /** Resolves when no transition is under way. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** Ends all waits; what was under way is taken up by the next process. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.settled();
  }

  private async boot(instance: InstanceRecord, reason: string): Promise<void> {
    const booted = this.bootMachine(instance.instanceId);
    const pending = instance.state === 'pending' ? this.wait(this.state.timings.instancePending) : undefined;
    await Promise.all([booted, pending]);
    if (instance.state !== 'pending') return;
    instance.stateReason = undefined;
    instance.stateTransitionReason = '';
    this.moveTo(instance, 'running', reason);
  }

  private async bootMachine(instanceId: string): Promise<void> {
    try {
      await this.machines.boot({ instanceId, disks: attachedDisks(this.state, instanceId) });
    } catch (cause) {
      throw new Error(`boot failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }

  private async finishTermination(instance: InstanceRecord): Promise<void> {
    const { instanceShuttingDown } = this.state.timings;
    const shuttingDown = instance.released ? 0 : instanceShuttingDown * SHUTDOWN_PART;
    await Promise.all([this.machines.shutDown(instance.instanceId), this.wait(shuttingDown)]);
    release(instance);
    await this.wait(instanceShuttingDown - shuttingDown);
    for (const volume of volumesOf(this.state, instance.instanceId)) {
      if (volume.attachment?.deleteOnTermination) await deleteVolume(this.state, volume);
      else volume.attachment = undefined;
    }
    this.moveTo(instance, 'terminated', 'TerminateInstances');
  }

  private poweredOff(instanceId: string): void {
    const instance = this.state.instances.get(instanceId);
    if (!instance || (instance.state !== 'running' && instance.state !== 'pending')) return;
    instance.stateReason = {
      Code: 'Client.InstanceInitiatedShutdown',
      Message: 'Client.InstanceInitiatedShutdown: Instance initiated shutdown',
    };
    this.moveTo(instance, 'stopped', 'powered off from inside');
  }

  private rootVolume(instance: InstanceRecord) {
    return volumesOf(this.state, instance.instanceId).find(
      ({ attachment }) =>
        attachment?.device === instance.rootDeviceName && attachment.detachedAt === undefined,
    );
  }

  private noteShutdown(instance: InstanceRecord): void {
    const now = this.state.clock.now().toISOString();
    instance.stateReason = USER_SHUTDOWN;
    instance.stateTransitionReason = `User initiated (${now.slice(0, 10)} ${now.slice(11, 19)} GMT)`;
  }

  private moveTo(instance: InstanceRecord, to: InstanceState, reason: string): void {
    this.state.events.add({
      type: 'instance-state',
      instanceId: instance.instanceId,
      from: instance.state,
      to,
      reason,
    });
    instance.state = to;
    this.state.changed();
  }

  private change(
    instance: InstanceRecord,
    previous: InstanceState,
    current: InstanceState,
  ): InstanceStateChange {
    const named = (state: InstanceState) => ({ Code: STATE_CODES[state], Name: state as InstanceStateName });
    return {
      InstanceId: instance.instanceId,
      CurrentState: named(current),
      PreviousState: named(previous),
    };
  }

  private async wait(milliseconds: number): Promise<void> {
    await this.state.clock.sleep(milliseconds, this.closing.signal);
  }

  /** What goes wrong with a machine ends in `stopped`, with the reason in the instance's own StateReason. */
  private background(instance: InstanceRecord, task: () => Promise<void>): void {
    const running = task().catch((error: unknown) => {
      // Closing ends waits by an abort; the next process goes on from the state on disk.
      if (!this.closing.signal.aborted) this.fail(instance, error);
    });
    this.underWay.add(running);
    void running.finally(() => this.underWay.delete(running));
  }

  private fail(instance: InstanceRecord, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    instance.stateReason = { Code: 'Server.InternalError', Message: `Server.InternalError: ${why}` };
    this.moveTo(instance, 'stopped', why);
  }
}

function release(instance: InstanceRecord): void {
  instance.released = true;
  instance.securityGroups = [];
  instance.iamInstanceProfileArn = undefined;
}
