import { NormalizedSchema } from '@smithy/core/schema';

/** How an operation is bound to HTTP (Smithy `http` trait). */
interface HttpBinding {
  readonly method: string;
  readonly path: RegExp;
  readonly pathLength: number;
  /** Query parameters that select the operation, such as `uploads` or `list-type=2`. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly status: number;
}

export interface Operation {
  readonly name: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
  readonly http?: HttpBinding;
}

/** The SDK marks an operation schema by this number in the first place of a static schema (`@smithy/types`, StaticOperationSchema). */
const OPERATION_SCHEMA = 9;

type SchemaRef = Parameters<typeof NormalizedSchema.of>[0];

/** EC2 alone has seven hundred: each package is read once. */
const known = new WeakMap<object, ReadonlyMap<string, Operation>>();

/** Every operation that an SDK client package exports a schema for (`DescribeInstances$` and the like), by name. */
export function operationsOf(sdkModule: object): ReadonlyMap<string, Operation> {
  const read = known.get(sdkModule) ?? readOperations(sdkModule);
  known.set(sdkModule, read);
  return read;
}

function readOperations(sdkModule: object): ReadonlyMap<string, Operation> {
  const operations = new Map<string, Operation>();
  for (const value of Object.values(sdkModule) as unknown[]) {
    if (!Array.isArray(value) || value[0] !== OPERATION_SCHEMA) continue;
    const name = String(value[2]);
    const traits = value[3] as { http?: [string, string, number] } | number | undefined;
    operations.set(name, {
      name,
      input: NormalizedSchema.of(value[4] as SchemaRef),
      output: NormalizedSchema.of(value[5] as SchemaRef),
      http: typeof traits === 'object' && traits.http ? bind(...traits.http) : undefined,
    });
  }
  return operations;
}

/** REST operations in the order in which they must be tried: the most demanding first. */
export function byPrecedence(operations: Iterable<Operation>): Operation[] {
  const demands = (operation: Operation) =>
    operation.http?.query.filter(([name]) => name !== 'x-id').length ?? 0;
  return [...operations]
    .filter((operation) => operation.http)
    .sort((a, b) => demands(b) - demands(a) || (b.http?.pathLength ?? 0) - (a.http?.pathLength ?? 0));
}

function bind(method: string, uri: string, status: number): HttpBinding {
  const [path = '/', query = ''] = uri.split('?');
  const pattern = path
    .replace(/\/$/, '')
    .replace(
      /\{(\w+)(\+?)\}/g,
      (_, label: string, greedy: string) => `(?<${label}>${greedy ? '.+' : '[^/]+'})`,
    );
  return {
    method,
    path: new RegExp(`^${pattern}/?$`, 's'),
    pathLength: path.length,
    query: [...new URLSearchParams(query)],
    status,
  };
}
