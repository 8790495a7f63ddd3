import { Questions } from '../../../core/footprint/questions';

/** Scripts of packages write paths in other forms too: a manifest of PostgreSQL that held one so was refused as not valid. */
test('paths are asked in the one form that a manifest has for them', () => {
  const questions = new Questions();
  for (const path of [
    '/srv//data',
    '/srv/data/',
    '/srv/./data',
    '/srv/x/../data',
    'data',
    `/${'x'.repeat(300)}`,
  ])
    questions.ask({ path, kind: 'entry' });
  expect(questions.all()).toEqual([{ path: '/srv/data', kind: 'entry' }]);
});
