/**
 * Items that come in batches, one at a time. An async generator would wait three times for each of a million items; this
 * waits for each batch.
 */
export class EntryStream<T> implements AsyncIterable<T> {
  constructor(private readonly batches: () => AsyncIterator<readonly T[]>) {}

  [Symbol.asyncIterator](): AsyncIterator<T> {
    const batches = this.batches();
    let batch: readonly T[] = [];
    let next = 0;
    const refill = async (): Promise<IteratorResult<T>> => {
      do {
        const more = await batches.next();
        if (more.done === true) return { done: true, value: undefined };
        batch = more.value;
        next = 0;
      } while (batch.length === 0);
      next = 1;
      return { done: false, value: batch[0]! };
    };
    return {
      next: () => (next < batch.length ? Promise.resolve({ done: false, value: batch[next++]! }) : refill()),
      return: async () => {
        batch = [];
        next = 0;
        await batches.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}
