import { executeSeed } from './execute';
import { allTargets } from './targets';

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 5);

jest.setTimeout((SECONDS + 60) * 1000);

/** The same seeds every time; `npm run fuzz` goes on where they end. */
it('every reader, parser and writer answers bytes of strangers or refuses them by an error of ours', async () => {
  const targets = allTargets();
  const mostMs = (SECONDS * 1000) / targets.length;
  const finds: string[] = [];
  for (const { name, prepare } of targets) {
    const target = await prepare();
    const outcomes = { answered: 0, refused: 0 };
    const start = Date.now();
    for (let seed = 1; Date.now() - start < mostMs; seed++) {
      const result = await executeSeed(target, seed);
      if ('find' in result) finds.push(`${name} --seed ${seed}: ${result.find}`);
      else outcomes[result.outcome] += 1;
    }
    // Without a change all is well: else the executions say nothing.
    expect([name, await target.execute()]).toEqual([name, 'answered']);
    expect([name, outcomes.answered + outcomes.refused > 0]).toEqual([name, true]);
  }
  expect(finds).toEqual([]);
});
