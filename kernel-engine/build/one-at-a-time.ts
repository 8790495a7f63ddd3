import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from './package-lock';

const RETRY_MS = 200;

/**
 * Runs one piece of work of this name at a time on this machine, whichever process it is in. The lock is an abstract
 * socket (unix(7)): the system takes it back from a process that dies.
 */
export async function oneAtATime<T>(name: string, work: () => Promise<T>): Promise<T> {
  const path = `\0imageelves-${sha256(Buffer.from(name)).slice(0, 32)}`;
  for (;;) {
    const server = createServer();
    const held = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
      );
      server.listen(path, () => resolve(true));
    });
    if (!held) {
      await sleep(RETRY_MS);
      continue;
    }
    try {
      return await work();
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }
}
