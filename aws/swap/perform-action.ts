import {
  AttachVolumeCommand,
  DetachVolumeCommand,
  type EC2Client,
  ModifyInstanceAttributeCommand,
} from '@aws-sdk/client-ec2';
import { hasCode } from '../service-errors';
import type { SwapAction } from './next-action';

/**
 * The state moved between the look and the call (a retry of a call that had its effect, somebody at the console, or a
 * read that lagged behind): look again.
 */
const STATE_MOVED = [
  'IncorrectState',
  'IncorrectInstanceState',
  'VolumeInUse',
  'InvalidAttachment.NotFound',
  'InvalidParameterValue',
  'InvalidVolume.NotFound',
  'OperationNotPermitted',
  'InvalidInstanceAttributeValue',
];

/** Performs one action. The error that means "look again" is returned, any other is thrown. */
export async function performAction(
  ec2: EC2Client,
  instanceId: string,
  action: SwapAction,
): Promise<Error | undefined> {
  try {
    await send(ec2, instanceId, action);
    return undefined;
  } catch (error) {
    if (error instanceof Error && hasCode(error, ...STATE_MOVED)) return error;
    throw error;
  }
}

async function send(ec2: EC2Client, instanceId: string, action: SwapAction): Promise<void> {
  switch (action.kind) {
    case 'detach':
      await ec2.send(
        new DetachVolumeCommand({
          VolumeId: action.volumeId,
          InstanceId: instanceId,
          Device: action.swap.deviceName,
        }),
      );
      return;
    case 'attach':
      await ec2.send(
        new AttachVolumeCommand({
          VolumeId: action.volumeId,
          InstanceId: instanceId,
          Device: action.swap.deviceName,
        }),
      );
      return;
    case 'set-delete-on-termination':
      // A volume that is attached later than at launch is kept on termination unless this says otherwise.
      await ec2.send(
        new ModifyInstanceAttributeCommand({
          InstanceId: instanceId,
          BlockDeviceMappings: [
            {
              DeviceName: action.swap.deviceName,
              Ebs: { DeleteOnTermination: action.swap.deleteOnTermination },
            },
          ],
        }),
      );
      return;
    default:
      return;
  }
}
