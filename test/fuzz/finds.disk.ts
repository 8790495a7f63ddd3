import { e2fsckJudge } from './e2fsck-judge';
import { executeChanged } from './execute';
import { storedFinds } from './finds';
import { allTargets } from './targets';

jest.setTimeout(120_000);

it('what was found once is answered or refused, and nothing is written wrong', async () => {
  const targets = allTargets(e2fsckJudge());
  for (const find of await storedFinds()) {
    const target = await targets.find(({ name }) => name === find.target)!.prepare();
    target.apply(find.changes);
    expect([find.name, await executeChanged(target)]).toEqual([
      find.name,
      { outcome: expect.stringMatching('answered|refused') },
    ]);
    target.restore();
  }
});
