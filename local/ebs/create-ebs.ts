import type { LocalEc2State } from '../state/local-ec2-state';
import type { Handler, ServiceOptions } from '../wire';
import { getSnapshotBlockHandler, listChangedBlocksHandler, listSnapshotBlocksHandler } from './read-blocks';
import { completeSnapshotHandler, putSnapshotBlockHandler, startSnapshotHandler } from './write-snapshot';

/** How EBS direct writes its answers: every member, also one that its model does not have. */
export const EBS_SERVICE_OPTIONS: ServiceOptions = {
  explicitNulls: { unmodelled: { ListChangedBlocksResponse: ['LastEvaluatedBlockIndex'] } },
};

/** The EBS direct APIs of the embedded cloud: all six operations, for `createService` with `EBS_SERVICE_OPTIONS`. */
export function createEbs(state: LocalEc2State): Record<string, Handler> {
  return {
    CompleteSnapshot: completeSnapshotHandler(state),
    GetSnapshotBlock: getSnapshotBlockHandler(state),
    ListChangedBlocks: listChangedBlocksHandler(state),
    ListSnapshotBlocks: listSnapshotBlocksHandler(state),
    PutSnapshotBlock: putSnapshotBlockHandler(state),
    StartSnapshot: startSnapshotHandler(state),
  };
}
