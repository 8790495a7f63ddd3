import * as path from 'node:path';
import * as ts from 'typescript';
import { STEPS } from '../../core/workflow/steps';
import { allStates, definitionFiles, type State } from '../support/definitions';

/**
 * A definition is text, so no compiler sees whether it gives a step what its types ask for. This does: the members of
 * each payload, and of each answer that is used, are those of core/workflow/payloads.ts.
 */
const file = path.join(__dirname, '..', '..', 'core', 'workflow', 'payloads.ts');
const program = ts.createProgram([file], { strict: true, noLib: true, skipLibCheck: true });
const checker = program.getTypeChecker();

interface Member {
  readonly name: string;
  readonly optional: boolean;
}

/** Members of every exported interface and type of payloads.ts. */
const types = new Map<string, Member[]>(
  checker
    .getExportsOfModule(
      checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile) as ts.Symbol,
    )
    .map((symbol) => [
      symbol.name,
      checker
        .getDeclaredTypeOfSymbol(symbol)
        .getProperties()
        .map(({ name, flags }) => ({ name, optional: (flags & ts.SymbolFlags.Optional) !== 0 })),
    ]),
);

const pascalCase = (name: string): string =>
  name.replace(/(^|-)(\w)/g, (_match, _dash, letter: string) => letter.toUpperCase());
const stepOf = (state: State): string | undefined =>
  STEPS.map(({ name }) => pascalCase(name)).find((name) =>
    String(state.Arguments?.['FunctionName']).includes(`{${name}FunctionArn}`),
  );

const calls = definitionFiles().flatMap((name) =>
  allStates(name)
    .map(([state, definition]) => ({
      where: `${name}: ${state}`,
      definition,
      step: stepOf(definition) ?? '',
    }))
    .filter(({ step }) => step !== ''),
);

test('types of every step are found', () => {
  for (const { name } of STEPS) {
    expect(types.get(`${pascalCase(name)}Input`)).not.toHaveLength(0);
    expect(types.get(`${pascalCase(name)}Output`)).not.toHaveLength(0);
  }
  expect(calls.length).toBeGreaterThan(30);
});

test.each(calls)('$where gives what $step asks for', ({ definition, step }) => {
  const members = types.get(`${step}Input`) as Member[];
  for (const given of payloadsOf(definition.Arguments?.['Payload'])) {
    expect(members.map(({ name }) => name)).toEqual(expect.arrayContaining(given));
    expect(given).toEqual(
      expect.arrayContaining(members.filter(({ optional }) => !optional).map(({ name }) => name)),
    );
  }
});

test.each(calls)('$where takes from the answer of $step what is in it', ({ definition, step }) => {
  const members = types.get(`${step}Output`) as Member[];
  const taken = [...JSON.stringify(definition).matchAll(/\$states\.result\.Payload\.(\w+)/g)].map(
    (match) => match[1],
  );
  expect(members.map(({ name }) => name)).toEqual(expect.arrayContaining(taken));
});

/** The members of a payload; of each alternative when an expression chooses between objects, none when it passes its input on. */
function payloadsOf(payload: unknown): string[][] {
  if (typeof payload !== 'string') return [Object.keys(payload as object)];
  return [...payload.matchAll(/\{('[^}]*)\}/g)].map((object) =>
    [...(object[1] as string).matchAll(/'(\w+)':/g)].map((match) => match[1] as string),
  );
}
