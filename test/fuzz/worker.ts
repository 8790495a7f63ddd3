import { openSync, writeSync } from 'node:fs';
import { executeSeed } from './execute';
import { e2fsckJudge } from './e2fsck-judge';
import { allTargets } from './targets';

export type WorkerMessage =
  | { readonly target: string; readonly answered: number; readonly refused: number }
  | { readonly target: string; readonly seed: number; readonly find: string };

const [statusFile, seconds, firstSeed, judge, wanted] = process.argv.slice(2);
/** One target after the other, for this long: parsers execute a hundred times as many as readers. */
const SLICE_MS = 400;
const PARSER_SLICE_MS = 120;
/** A find of one place comes by the hundred: so many are told of each target. */
const MOST_FINDS = 20;

async function work(): Promise<void> {
  const end = Date.now() + Number(seconds) * 1000;
  const status = openSync(statusFile!, 'w');
  const targets = allTargets(judge === 'judge' ? e2fsckJudge() : undefined).filter(
    ({ name }) => wanted === '' || name.startsWith(wanted!),
  );
  const prepared = [];
  for (const target of targets)
    prepared.push({ name: target.name, target: await target.prepare(), finds: 0 });
  let seed = Number(firstSeed);
  while (Date.now() < end) {
    for (const one of prepared) {
      const counts = { answered: 0, refused: 0 };
      const slice = one.name.startsWith('parse') ? PARSER_SLICE_MS : SLICE_MS;
      for (const start = Date.now(); Date.now() - start < slice;) {
        seed += 1;
        writeSync(status, `${one.name} ${seed}\n`, 0);
        const result = await executeSeed(one.target, seed);
        if ('outcome' in result) counts[result.outcome] += 1;
        else if (++one.finds <= MOST_FINDS) tell({ target: one.name, seed, find: result.find });
      }
      tell({ target: one.name, ...counts });
    }
  }
  process.disconnect();
}

function tell(message: WorkerMessage): void {
  process.send!(message);
}

work().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
