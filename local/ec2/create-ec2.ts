import type { Machines } from '../instances/machines';
import type { LocalEc2State } from '../state/local-ec2-state';
import type { Handler } from '../wire';
import { accountHandlers, networkHandlers } from './account-and-network';
import { attachVolumeHandler, detachVolumeHandler } from './attachments';
import { changeInstancesHandlers } from './change-instances';
import { createVolumeHandler } from './create-volume';
import { deleteVolumeHandler } from './delete-volume';
import { describeInstancesHandler, describeInstanceStatusHandler } from './describe-instances';
import { describeVolumesHandler, describeVolumeStatusHandler } from './describe-volumes';
import {
  deregisterImageHandler,
  describeImageAttributeHandler,
  describeImagesHandler,
  registerImageHandler,
} from './images';
import { describeInstanceAttributeHandler, modifyInstanceAttributeHandler } from './instance-attributes';
import { InstanceLifecycle } from './instance-lifecycle';
import { describeVolumesModificationsHandler, modifyVolumeHandler } from './modify-volume';
import { runInstancesHandler } from './run-instances';
import {
  copySnapshotHandler,
  createSnapshotHandler,
  createSnapshotsHandler,
  deleteSnapshotHandler,
  describeSnapshotsHandler,
} from './snapshots';
import { createTagsHandler, deleteTagsHandler, describeTagsHandler } from './tags';
import { describeVolumeAttributeHandler, enableVolumeIoHandler } from './volume-attributes';

export interface LocalEc2 {
  /** EC2 operations by name, for `createService`. */
  readonly handlers: Record<string, Handler>;
  readonly lifecycle: InstanceLifecycle;
}

/** EC2 of the embedded cloud, over one state and the machines behind its running instances. */
export function createEc2(state: LocalEc2State, machines: Machines): LocalEc2 {
  const lifecycle = new InstanceLifecycle(state, machines);
  const handlers: Record<string, Handler> = {
    ...accountHandlers,
    ...networkHandlers(state),
    ...changeInstancesHandlers(state, lifecycle, machines),
    AttachVolume: attachVolumeHandler(state),
    CopySnapshot: copySnapshotHandler(state),
    CreateSnapshot: createSnapshotHandler(state),
    CreateSnapshots: createSnapshotsHandler(state),
    CreateTags: createTagsHandler(state),
    CreateVolume: createVolumeHandler(state),
    DeleteSnapshot: deleteSnapshotHandler(state),
    DeleteTags: deleteTagsHandler(state),
    DeleteVolume: deleteVolumeHandler(state),
    DeregisterImage: deregisterImageHandler(state),
    DescribeImageAttribute: describeImageAttributeHandler(state),
    DescribeImages: describeImagesHandler(state),
    DescribeInstanceAttribute: describeInstanceAttributeHandler(state),
    DescribeInstances: describeInstancesHandler(state),
    DescribeInstanceStatus: describeInstanceStatusHandler(state),
    DescribeSnapshots: describeSnapshotsHandler(state),
    DescribeTags: describeTagsHandler(state),
    DescribeVolumeAttribute: describeVolumeAttributeHandler(state),
    DescribeVolumes: describeVolumesHandler(state),
    DescribeVolumesModifications: describeVolumesModificationsHandler(state),
    DescribeVolumeStatus: describeVolumeStatusHandler(state),
    DetachVolume: detachVolumeHandler(state),
    EnableVolumeIO: enableVolumeIoHandler(state),
    ModifyInstanceAttribute: modifyInstanceAttributeHandler(state),
    ModifyVolume: modifyVolumeHandler(state),
    RegisterImage: registerImageHandler(state),
    RunInstances: runInstancesHandler(state, lifecycle),
  };
  return { handlers, lifecycle };
}
