import jsonata from 'jsonata';
import { EXTRA_FUNCTIONS } from './extra-functions';

const EXPRESSION = /^\{%([\s\S]*)%\}$/;

/** The JSONata source of a string written `{% ... %}`; undefined for any other string. */
export const expressionSource = (text: string): string | undefined => EXPRESSION.exec(text)?.[1]?.trim();

const compiled = new Map<string, jsonata.Expression>();

/** Compiles once per source. @throws when the source is not JSONata. */
export function compileExpression(source: string): jsonata.Expression {
  const known = compiled.get(source);
  if (known) return known;
  const expression = jsonata(source);
  for (const [name, { implementation, signature }] of Object.entries(EXTRA_FUNCTIONS)) {
    expression.registerFunction(name, implementation as (...values: unknown[]) => unknown, signature);
  }
  compiled.set(source, expression);
  return expression;
}

/** The compiler's message without the position it adds, or undefined when the source is JSONata. */
export function expressionMistake(source: string): string | undefined {
  try {
    compileExpression(source);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** JSONata throws plain objects as well as errors. */
export const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
