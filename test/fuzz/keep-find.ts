import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allTargets } from './targets';

/** Writes what `npm run fuzz` found down as a regression test: `npx tsx test/fuzz/keep-find.ts NAME TARGET SEED WHAT`. */
async function keepFind(name: string, targetName: string, seed: number, what: string): Promise<void> {
  const target = allTargets().find((one) => one.name === targetName);
  if (target === undefined) throw new Error(`there is no target ${targetName}`);
  const prepared = await target.prepare();
  prepared.mutate(seed);
  const changes = Object.fromEntries(
    Object.entries(prepared.changes())
      .filter(([, patches]) => patches.length > 0)
      .map(([image, patches]) => [
        image,
        patches.map(({ offset, bytes }) => [offset, Buffer.from(bytes).toString('hex')]),
      ]),
  );
  const text = JSON.stringify({ target: targetName, what, changes }, undefined, 2);
  await writeFile(join(__dirname, 'finds', `${name}.json`), `${text}\n`);
}

const [name, target, seed, what] = process.argv.slice(2);
keepFind(name!, target!, Number(seed), what!).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
