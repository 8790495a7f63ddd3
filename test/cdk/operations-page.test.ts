import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { type Step, STEPS } from '../../core/workflow/steps';

const page = readFileSync(path.join(__dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
const steps = STEPS as readonly Step[];

/** Rows of the table between two marks, without its head. */
const rows = (/<!-- steps -->\n([^]*)<!-- \/steps -->/.exec(page)?.[1] ?? '').trimEnd().split('\n').slice(2);

test('the page lists every function with its rights, as steps.ts has them', () => {
  expect(rows).toEqual(
    steps.map(
      ({ name, description, needs }) =>
        `| \`${name}\` | ${description} | ${needs.map((need) => `\`${need}\``).join(', ')} |`,
    ),
  );
});

test('the page explains every right', () => {
  for (const need of new Set(steps.flatMap(({ needs }) => needs))) {
    expect(page).toMatch(new RegExp(`^\\| [^|]*\`${need}\`[^|]*\\| .*(:|on )`, 'm'));
  }
});
