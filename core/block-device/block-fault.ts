/**
 * Thrown by a synchronous read of blocks that are not in memory. It is no failure: the cache's driver catches it,
 * fetches the blocks and runs the operation again. An operation must let it pass.
 */
export class BlockFault extends Error {
  override readonly name = 'BlockFault';

  constructor(readonly blocks: readonly number[]) {
    super(`blocks ${blocks.join(', ')} are not in memory`);
  }
}
