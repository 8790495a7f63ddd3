import { readFileSync } from 'node:fs';
import path from 'node:path';
import { classificationRules, withRules } from '../../scripts/classification-rules';

const document = readFileSync(path.join(__dirname, '../../docs/classification.md'), 'utf8');

test('the document has the rules of the code: if not, run npx tsx scripts/write-classification-rules.ts', () => {
  expect(withRules(document, classificationRules())).toBe(document);
});

test('every rule has a reason', () => {
  const rows = classificationRules()
    .split('\n')
    .filter((line) => line.startsWith('| '));
  expect(rows.length).toBeGreaterThan(50);
  expect(
    rows.filter((row) =>
      row.split(/(?<!\\)\|/).some((cell, at, cells) => at > 0 && at < cells.length - 1 && cell.trim() === ''),
    ),
  ).toEqual([]);
});

test('a document without the place for them is told', () => {
  expect(() => withRules('# Nothing', 'x')).toThrow(/has no lines/);
});
