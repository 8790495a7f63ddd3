import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { STEPS } from '../../core/workflow/steps';

const LAMBDAS = path.join(__dirname, '../../lambdas');
const files = readdirSync(LAMBDAS).filter((name) => name.endsWith('.ts'));

test('there is one handler for each step, and none besides', () => {
  expect(files.map((name) => name.replace('.ts', '')).sort()).toEqual(STEPS.map(({ name }) => name).sort());
});

test.each(files)('%s exports a handler and is thin', async (name) => {
  const module = (await import(path.join(LAMBDAS, name))) as { handler: unknown };
  expect(typeof module.handler).toBe('function');
  expect(readFileSync(path.join(LAMBDAS, name), 'utf8').split('\n').length).toBeLessThan(60);
});

test('a right is asked for once by a step', () => {
  for (const { needs, variables } of STEPS) {
    expect(new Set(needs).size).toBe(needs.length);
    expect(new Set(variables).size).toBe(variables.length);
  }
});
