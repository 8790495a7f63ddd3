import { DeployError } from './deploy-error';

/** What intrinsic functions ask of the stack around them. */
export interface ResolutionScope {
  /** `Ref`: a resource, a parameter or a pseudo parameter. */
  ref(name: string): unknown;
  attribute(logicalId: string, name: string): unknown;
  condition(name: string): boolean;
  mapping(map: string, first: string, second: string): unknown;
}

/** Stands for AWS::NoValue: whoever holds it leaves the member out. */
export const NO_VALUE = Symbol('AWS::NoValue');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Intrinsic = (argument: unknown, scope: ResolutionScope) => unknown;

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (name, scope) => scope.ref(String(name)),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId = '', ...rest] = Array.isArray(argument)
      ? argument.map(String)
      : String(argument).split('.');
    return scope.attribute(logicalId, rest.join('.'));
  },
  'Fn::Join': (argument, scope) => {
    const [separator, list] = resolve(argument, scope) as [string, unknown[]];
    return list.join(separator);
  },
  'Fn::Sub': (argument, scope) => {
    const [text, own] = (Array.isArray(argument) ? argument : [argument, {}]) as [
      string,
      Record<string, unknown>,
    ];
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_whole, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in own) return String(resolve(own[name], scope));
      const [logicalId = '', ...attribute] = name.split('.');
      return String(attribute.length > 0 ? scope.attribute(logicalId, attribute.join('.')) : scope.ref(name));
    });
  },
  'Fn::Select': (argument, scope) => {
    const [index, list] = resolve(argument, scope) as [number | string, unknown[]];
    return list[Number(index)];
  },
  'Fn::Split': (argument, scope) => {
    const [separator, text] = resolve(argument, scope) as [string, string];
    return text.split(separator);
  },
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = (resolve(argument, scope) as unknown[]).map(String);
    return scope.mapping(map ?? '', first ?? '', second ?? '');
  },
  'Fn::If': (argument, scope) => {
    const [condition, yes, no] = argument as [string, unknown, unknown];
    return resolve(scope.condition(condition) ? yes : no, scope);
  },
  'Fn::Base64': (argument, scope) => Buffer.from(String(resolve(argument, scope))).toString('base64'),
  'Fn::Equals': (argument, scope) => {
    const [a, b] = resolve(argument, scope) as unknown[];
    return a === b;
  },
  'Fn::And': (argument, scope) => (resolve(argument, scope) as unknown[]).every(Boolean),
  'Fn::Or': (argument, scope) => (resolve(argument, scope) as unknown[]).some(Boolean),
  'Fn::Not': (argument, scope) => !(resolve(argument, scope) as unknown[])[0],
  Condition: (name, scope) => scope.condition(String(name)),
};

/**
 * A template value with its intrinsic functions replaced by what they stand for.
 * @throws DeployError on a function that is not known here.
 */
export function resolve(value: unknown, scope: ResolutionScope): unknown {
  if (Array.isArray(value))
    return value.map((item) => resolve(item, scope)).filter((item) => item !== NO_VALUE);
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const [key = ''] = keys;
  const looksIntrinsic =
    keys.length === 1 && (key === 'Ref' || key === 'Condition' || key.startsWith('Fn::'));
  // "Condition" is also an ordinary member (of IAM statements): there it holds an object.
  if (looksIntrinsic && !(key === 'Condition' && isObject(value[key]))) {
    const intrinsic = INTRINSICS[key];
    if (!intrinsic) throw new DeployError(`The intrinsic function ${key} is not supported.`);
    return intrinsic(value[key], scope);
  }
  const entries = Object.entries(value).map(([name, inner]) => [name, resolve(inner, scope)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== NO_VALUE));
}
