import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Changes } from './target';

const FOLDER = join(__dirname, 'finds');

/** An execution that once went wrong: what was changed, and what came of it. */
export interface Find {
  readonly name: string;
  readonly target: string;
  readonly changes: Changes;
}

interface StoredFind {
  readonly target: string;
  readonly what: string;
  readonly changes: Readonly<Record<string, readonly (readonly [offset: number, hex: string])[]>>;
}

/** All of them, in files named after what was wrong. */
export async function storedFinds(): Promise<Find[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => {
      const { target, changes } = JSON.parse(await readFile(join(FOLDER, name), 'utf8')) as StoredFind;
      return {
        name: name.replace('.json', ''),
        target,
        changes: Object.fromEntries(
          Object.entries(changes).map(([image, patches]) => [
            image,
            patches.map(([offset, hex]) => ({ offset, bytes: Buffer.from(hex, 'hex') })),
          ]),
        ),
      };
    }),
  );
}
