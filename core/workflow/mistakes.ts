import { Kind, type TSchema } from '@sinclair/typebox';
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value';

const REQUIRED = ValueErrorType.ObjectRequiredProperty;

/**
 * Everything wrong with a value that a person typed, one plain sentence each, with the place it is at.
 * @param whole what to call the value itself, when it is wrong as a whole
 */
export function mistakesOf(schema: TSchema, value: unknown, whole: string): string[] {
  return (
    [...Value.Errors(schema, value)]
      // A member that is not there is told once, as missing.
      .filter(({ type, value: at, path }) => at !== undefined || path === '' || type === REQUIRED)
      .map((error) => describe(error, whole, schema))
  );
}

function describe(error: ValueError, whole: string, schema: TSchema): string {
  const place = error.path === '' ? whole : placeOf(error.path);
  switch (error.type) {
    case ValueErrorType.ObjectAdditionalProperties:
      return `${place}: there is no such setting${known(error, schema)}`;
    case REQUIRED:
      return `${place}: is missing`;
    case ValueErrorType.StringPattern:
      return `${place}: ${shown(error.value)} does not have the form ${String(error.schema['pattern'])}`;
    case ValueErrorType.Union:
      return `${place}: ${shown(error.value)} is none of ${choices(error.schema)}`;
    default:
      return `${place}: ${lowerFirst(error.message)}, got ${shown(error.value)}`;
  }
}

/** The JSON pointer `/targets/instanceIds/0` as `targets.instanceIds[0]`. */
function placeOf(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((place, part) =>
      /^\d+$/.test(part)
        ? `${place}[${part}]`
        : /^\w+$/.test(part)
          ? `${place}.${part}`
          : `${place}["${part}"]`,
    );
}

function known(error: ValueError, schema: TSchema): string {
  const depth = error.path.split('/').length - 2;
  const properties = depth === 0 ? schema['properties'] : error.schema['properties'];
  return properties === undefined ? '' : `; known ones are ${Object.keys(properties as object).join(', ')}`;
}

function choices(schema: TSchema): string {
  const options = (schema['anyOf'] as TSchema[] | undefined) ?? [];
  return options
    .map((option) =>
      'const' in option ? JSON.stringify(option['const']) : (NOUNS[option[Kind]] ?? option[Kind]),
    )
    .join(', ');
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

const NOUNS: Readonly<Record<string, string>> = { String: 'a string', Array: 'a list of strings' };

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
