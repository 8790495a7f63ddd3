import type {
  RebootInstancesCommandInput,
  StartInstancesCommandInput,
  StopInstancesCommandInput,
  TerminateInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import type { Machines } from '../instances/machines';
import type { LocalEc2State } from '../state/local-ec2-state';
import { AwsError } from '../wire';
import { findInstance, findInstances } from './describe-instances';
import { endDryRun } from './ec2-errors';
import type { InstanceLifecycle } from './instance-lifecycle';

export function changeInstancesHandlers(
  state: LocalEc2State,
  lifecycle: InstanceLifecycle,
  machines: Machines,
) {
  return {
    StartInstances(input: StartInstancesCommandInput) {
      const instances = findInstances(state, input.InstanceIds);
      endDryRun(input.DryRun);
      return { StartingInstances: instances.map((instance) => lifecycle.start(instance)) };
    },
    StopInstances(input: StopInstancesCommandInput) {
      const instances = findInstances(state, input.InstanceIds);
      for (const { instanceId, disableApiStop } of instances)
        if (disableApiStop) throw notPermitted(instanceId, 'stopped', 'disableApiStop');
      endDryRun(input.DryRun);
      return { StoppingInstances: instances.map((instance) => lifecycle.stop(instance)) };
    },
    TerminateInstances(input: TerminateInstancesCommandInput) {
      const instances = findInstances(state, input.InstanceIds);
      for (const { instanceId, disableApiTermination } of instances)
        if (disableApiTermination) throw notPermitted(instanceId, 'terminated', 'disableApiTermination');
      endDryRun(input.DryRun);
      return { TerminatingInstances: instances.map((instance) => lifecycle.terminate(instance)) };
    },
    RebootInstances(input: RebootInstancesCommandInput): void {
      const instances = findInstances(state, input.InstanceIds);
      endDryRun(input.DryRun);
      for (const instance of instances) lifecycle.reboot(instance);
    },
    async GetConsoleOutput(input: { InstanceId?: string }) {
      const { instanceId: InstanceId } = findInstance(state, input.InstanceId);
      const output = await machines.consoleOutput(InstanceId);
      return { InstanceId, Timestamp: state.clock.now(), Output: Buffer.from(output).toString('base64') };
    },
  };
}

const notPermitted = (instanceId: string, done: string, attribute: string): AwsError =>
  new AwsError(
    'OperationNotPermitted',
    `The instance '${instanceId}' may not be ${done}. Modify its '${attribute}' instance attribute and try again.`,
  );
