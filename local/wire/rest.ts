import { JsonCodec, XmlCodec } from '@aws-sdk/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import { present } from './aws-json';
import { byPrecedence, type Operation } from './operations';
import { escapeXml, type ParsedCall, type Protocol } from './protocol';
import { scalarFromText } from './scalar';
import type { SerdeSettings } from './serde-settings';
import type { WireRequest } from './wire';

interface BodyFormat {
  readonly contentType: string;
  /** Body of an answer that has no members for it. */
  readonly empty: string;
  read(schema: NormalizedSchema, text: string): Promise<unknown>;
  write(schema: NormalizedSchema, value: unknown): string | Buffer;
}

export interface RestOptions {
  /** Chooses among the operations that fit method, path and query. Default: the first. */
  accepts?(operation: Operation, request: WireRequest): boolean;
}

/** REST protocols (Smithy `restJson1`, `restXml`): path, query, headers and body are bound one by one. */
function restProtocol(
  operations: ReadonlyMap<string, Operation>,
  format: BodyFormat,
  error: Protocol['error'],
  { accepts = () => true }: RestOptions,
): Protocol {
  const ordered = byPrecedence(operations.values());
  return {
    error,
    async parse(request) {
      for (const operation of ordered) {
        const { http } = operation;
        if (
          !http ||
          http.method !== request.method ||
          !http.query.every(([name, value]) => fits(request, name, value))
        )
          continue;
        const match = http.path.exec(request.path);
        if (match && accepts(operation, request))
          return { operation, input: await readInput(operation, request, match.groups ?? {}, format) };
      }
      return undefined;
    },
    answer(call, output) {
      return writeOutput(call, output, format);
    },
  };
}

function fits(request: WireRequest, name: string, value: string): boolean {
  const sent = request.query[name];
  if (name === 'x-id') return sent === undefined || sent === value;
  return sent !== undefined && (value === '' || sent === value);
}

async function readInput(
  operation: Operation,
  request: WireRequest,
  labels: Record<string, string>,
  format: BodyFormat,
): Promise<Record<string, unknown>> {
  const input: Record<string, unknown> = {};
  const inBody = new Set<string>();
  let payloadBound = false;
  for (const [name, member] of operation.input.structIterator()) {
    const traits = member.getMergedTraits();
    if (traits.httpPayload) {
      payloadBound = true;
      if (!member.isStructSchema())
        input[name] = member.isStringSchema() ? request.body.toString() : request.body;
      else if (request.body.length > 0) input[name] = await format.read(member, request.body.toString());
      continue;
    }
    if (traits.httpPrefixHeaders !== undefined) {
      const values = withPrefix(request.headers, traits.httpPrefixHeaders.toLowerCase());
      if (Object.keys(values).length > 0) input[name] = values;
      continue;
    }
    let text: string | undefined;
    if (traits.httpLabel) text = labels[name] === undefined ? undefined : decodeURIComponent(labels[name]);
    else if (traits.httpQuery) text = request.query[traits.httpQuery];
    else if (traits.httpHeader) text = request.headers[traits.httpHeader.toLowerCase()];
    else inBody.add(name);
    if (text !== undefined) input[name] = scalarFromText(member, text);
  }
  if (!payloadBound && inBody.size > 0 && request.body.length > 0) {
    const document = (await format.read(operation.input, request.body.toString())) as Record<string, unknown>;
    for (const [name, value] of Object.entries(present(document))) if (inBody.has(name)) input[name] = value;
  }
  return input;
}

function withPrefix(headers: Record<string, string>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

function writeOutput({ operation }: ParsedCall, output: Record<string, unknown>, format: BodyFormat) {
  const headers: Record<string, string> = {};
  let body: string | Buffer = format.empty;
  let contentType = format.contentType;
  let document = false;
  let payloadBound = false;
  for (const [name, member] of operation.output.isStructSchema() ? operation.output.structIterator() : []) {
    const traits = member.getMergedTraits();
    const value = output[name];
    if (traits.httpPrefixHeaders !== undefined) {
      for (const [key, text] of Object.entries((value ?? {}) as Record<string, string>))
        headers[(traits.httpPrefixHeaders + key).toLowerCase()] = text;
    } else if (traits.httpHeader) {
      if (value !== undefined && value !== null) headers[traits.httpHeader.toLowerCase()] = headerText(value);
    } else if (traits.httpPayload) {
      payloadBound = true;
      if (!member.isStructSchema()) contentType = 'application/octet-stream';
      if (value === undefined || value === null) body = '';
      else if (member.isStructSchema()) body = format.write(member, value);
      else body = typeof value === 'string' ? value : asBuffer(value as Uint8Array);
    } else if (!traits.httpResponseCode) document = true;
  }
  if (document && !payloadBound) body = format.write(operation.output, output);
  const status = (output['$status'] as number | undefined) ?? operation.http?.status ?? 200;
  return { status, headers: { 'content-type': contentType, ...headers }, body };
}

const headerText = (value: unknown): string => (value instanceof Date ? value.toUTCString() : String(value));

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Which members are sent as null: all absent ones, and by output schema those that only the service knows. */
export interface ExplicitNulls {
  readonly unmodelled?: Readonly<Record<string, readonly string[]>>;
}

export function restJsonProtocol(
  operations: ReadonlyMap<string, Operation>,
  settings: SerdeSettings,
  options: RestOptions & { explicitNulls?: ExplicitNulls },
): Protocol {
  const codec = new JsonCodec(settings.json());
  codec.setSerdeContext(settings.context);
  const format: BodyFormat = {
    contentType: 'application/json',
    empty: '{}',
    read: (schema, text) => codec.createDeserializer().read(schema, text),
    write(schema, value) {
      const serializer = codec.createSerializer();
      serializer.write(schema, value);
      const text = serializer.flush().toString();
      return options.explicitNulls
        ? JSON.stringify(withNulls(schema, JSON.parse(text), options.explicitNulls))
        : text;
    },
  };
  const error: Protocol['error'] = (failure) => ({
    status: failure.status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': failure.name, ...failure.headers },
    body: JSON.stringify(failure.body ?? { message: failure.message }),
  });
  return restProtocol(operations, format, error, options);
}

/** Absent members as null and keys in alphabetical order, as EBS direct answers. */
function withNulls(schema: NormalizedSchema, value: unknown, nulls: ExplicitNulls): unknown {
  if (value === null || value === undefined) return null;
  if (schema.isListSchema())
    return (value as unknown[]).map((element) => withNulls(schema.getValueSchema(), element, nulls));
  if (!schema.isStructSchema()) return value;
  const members: [string, unknown][] = [];
  for (const [name, member] of schema.structIterator()) {
    const traits = member.getMergedTraits();
    if (!traits.httpHeader && !traits.httpPayload)
      members.push([name, withNulls(member, (value as Record<string, unknown>)[name], nulls)]);
  }
  for (const name of nulls.unmodelled?.[schema.getName() ?? ''] ?? []) members.push([name, null]);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

export function restXmlProtocol(
  operations: ReadonlyMap<string, Operation>,
  settings: SerdeSettings,
  options: RestOptions,
): Protocol {
  const codec = new XmlCodec(settings.xml(S3_NAMESPACE));
  codec.setSerdeContext(settings.context);
  const format: BodyFormat = {
    contentType: 'application/xml',
    empty: '',
    read: (schema, text) => codec.createDeserializer().read(schema, text),
    write(schema, value) {
      const serializer = codec.createSerializer();
      serializer.write(schema, value);
      return `<?xml version="1.0" encoding="UTF-8"?>\n${serializer.flush().toString()}`;
    },
  };
  const error: Protocol['error'] = (failure, request, requestId) => ({
    status: failure.status,
    headers: { 'content-type': 'application/xml', ...failure.headers },
    // The answer to HEAD, and 304, have no body: the client goes by the status alone.
    body:
      request.method === 'HEAD' || failure.status === 304
        ? ''
        : '<?xml version="1.0" encoding="UTF-8"?>\n<Error>' +
          `<Code>${escapeXml(failure.name)}</Code><Message>${escapeXml(failure.message)}</Message>` +
          `<RequestId>${requestId}</RequestId></Error>`,
  });
  return restProtocol(operations, format, error, options);
}
