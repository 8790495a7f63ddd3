/**
 * Thrown by a synchronous read of blocks that are not in memory. It is no failure: the cache's driver catches it,
 * fetches the blocks and runs the operation again. An operation must let it pass.
 */
export class BlockFault extends Error {
  override readonly name = 'BlockFault';

  constructor(readonly blocks: readonly number[]) {
    // Thrown by the hundred and never shown: a stack would cost more than all else of it.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`blocks ${blocks.join(', ')} are not in memory`);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
