import {
  DescribeInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  waitUntilInstanceRunning,
  waitUntilInstanceStopped,
  type Instance,
} from '@aws-sdk/client-ec2';
import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  SendCommandCommand,
} from '@aws-sdk/client-ssm';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsClients } from '../run/aws-clients';

const WAIT = { maxWaitTime: 300, minDelay: 1, maxDelay: 2 };

/** What a command printed on a machine that ran it to the end. */
export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
}

export class Machines {
  constructor(private readonly clients: AwsClients) {}

  /** Every instance of the fleet by its Name tag; terminated ones are left out. */
  async byName(): Promise<Map<string, Instance>> {
    const { Reservations } = await this.clients.ec2.send(new DescribeInstancesCommand({}));
    const instances = (Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []);
    const alive = instances.filter((instance) => instance.State?.Name !== 'terminated');
    return new Map(
      alive.map((instance) => [instance.Tags?.find(({ Key }) => Key === 'Name')?.Value ?? '', instance]),
    );
  }

  async start(instanceId: string): Promise<void> {
    const request = { InstanceIds: [instanceId] };
    await this.clients.ec2.send(new StartInstancesCommand(request));
    await waitUntilInstanceRunning({ client: this.clients.ec2, ...WAIT }, request);
    for (let tries = 0; tries < 120; tries += 1) {
      const { InstanceInformationList } = await this.clients.ssm.send(
        new DescribeInstanceInformationCommand({ Filters: [{ Key: 'InstanceIds', Values: [instanceId] }] }),
      );
      if (InstanceInformationList?.[0]?.PingStatus === 'Online') return;
      await sleep(1000);
    }
    throw new Error(`${instanceId} runs, but its agent did not come online within two minutes`);
  }

  async stop(instanceId: string): Promise<void> {
    const request = { InstanceIds: [instanceId] };
    await this.clients.ec2.send(new StopInstancesCommand(request));
    await waitUntilInstanceStopped({ client: this.clients.ec2, ...WAIT }, request);
  }

  /** Runs shell lines on a running machine by Run Command and waits for their end. */
  async run(instanceId: string, commands: readonly string[]): Promise<CommandResult> {
    const { Command } = await this.clients.ssm.send(
      new SendCommandCommand({
        InstanceIds: [instanceId],
        DocumentName: 'AWS-RunShellScript',
        Parameters: { commands: [...commands] },
      }),
    );
    const request = { CommandId: Command?.CommandId ?? '', InstanceId: instanceId };
    for (;;) {
      await sleep(500);
      const invocation = await this.clients.ssm
        .send(new GetCommandInvocationCommand(request))
        .catch((error: Error) => {
          if (error.name === 'InvocationDoesNotExist') return undefined;
          throw error;
        });
      const status = invocation?.Status;
      if (status === undefined || ['Pending', 'InProgress', 'Delayed'].includes(status)) continue;
      return {
        exitCode: invocation?.ResponseCode ?? -1,
        output: `${invocation?.StandardOutputContent ?? ''}${invocation?.StandardErrorContent ?? ''}`,
      };
    }
  }
}

/** The volumes of an instance with their devices, the root volume first. */
export function volumesOf(instance: Instance): { readonly volumeId: string; readonly device: string }[] {
  const mappings = [...(instance.BlockDeviceMappings ?? [])].sort(
    (a, b) =>
      Number(b.DeviceName === instance.RootDeviceName) - Number(a.DeviceName === instance.RootDeviceName),
  );
  const volumes = mappings.flatMap(({ DeviceName: device, Ebs }) =>
    device === undefined || Ebs?.VolumeId === undefined ? [] : [{ device, volumeId: Ebs.VolumeId }],
  );
  if (volumes[0]?.device !== instance.RootDeviceName)
    throw new Error(`${instance.InstanceId} has no root volume`);
  return volumes;
}
