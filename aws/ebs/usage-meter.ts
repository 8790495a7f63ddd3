import type { Usage } from '../../core/workflow/documents';

/** Counts the block calls of one step, and their bytes: what EBS direct charges for. */
export class UsageMeter {
  listCalls = 0;
  getBlocks = 0;
  putBlocks = 0;
  bytesRead = 0;
  bytesWritten = 0;

  usage(): Usage {
    const { listCalls, getBlocks, putBlocks, bytesRead, bytesWritten } = this;
    return { listCalls, getBlocks, putBlocks, bytesRead, bytesWritten };
  }
}
