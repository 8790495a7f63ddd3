import { XmlCodec } from '@aws-sdk/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import type { Operation } from './operations';
import { escapeXml, type Protocol } from './protocol';
import { scalarFromText } from './scalar';
import type { SerdeSettings } from './serde-settings';

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';

/** Form parameters by their dotted names: `Filter.1.Name=x` becomes `{Filter: {1: {Name: 'x'}}}`. */
interface Parameters {
  [name: string]: Parameters | string;
}

/** The EC2 query protocol (Smithy `aws.protocols#ec2Query`): a form in, XML out. */
export function ec2QueryProtocol(
  operations: ReadonlyMap<string, Operation>,
  settings: SerdeSettings,
): Protocol {
  const codec = new XmlCodec(settings.xml(NAMESPACE));
  codec.setSerdeContext(settings.context);
  return {
    async parse(request) {
      const parameters = nest(
        request.body.length > 0 ? request.body.toString() : new URLSearchParams(request.query),
      );
      const operation = operations.get(String(parameters['Action']));
      if (!operation) return undefined;
      const input = (read(operation.input, parameters) ?? {}) as Record<string, unknown>;
      return { operation, input };
    },
    answer({ operation }, output, requestId) {
      let members = '<return>true</return>';
      if (operation.output.isStructSchema()) {
        const serializer = codec.createSerializer();
        serializer.write(operation.output.getSchema() as never, output);
        members = inner(serializer.flush().toString());
      }
      return {
        status: 200,
        headers: { 'content-type': 'text/xml;charset=UTF-8' },
        body:
          `<?xml version="1.0" encoding="UTF-8"?>\n<${operation.name}Response xmlns="${NAMESPACE}">` +
          `<requestId>${requestId}</requestId>${members}</${operation.name}Response>`,
      };
    },
    error(error, _request, requestId) {
      return {
        status: error.status,
        headers: { 'content-type': 'text/xml;charset=UTF-8', ...error.headers },
        body:
          '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>' +
          `<Code>${escapeXml(error.name)}</Code><Message>${escapeXml(error.message)}</Message>` +
          `</Error></Errors><RequestID>${requestId}</RequestID></Response>`,
      };
    },
  };
}

/** What stands between the first tag and the last: the root element has another name on the wire than in the schema. */
function inner(xml: string): string {
  const start = xml.indexOf('>') + 1;
  const end = xml.lastIndexOf('</');
  return end < start ? '' : xml.slice(start, end);
}

function nest(form: string | URLSearchParams): Parameters {
  const root: Parameters = Object.create(null) as Parameters;
  for (const [name, value] of new URLSearchParams(form)) {
    const steps = name.split('.');
    const last = steps.pop() ?? name;
    let place = root;
    for (const step of steps) {
      const next = place[step];
      place = typeof next === 'object' ? next : (place[step] = Object.create(null) as Parameters);
    }
    place[last] = value;
  }
  return root;
}

function read(schema: NormalizedSchema, value: Parameters | string | undefined): unknown {
  if (value === undefined) return undefined;
  if (schema.isStructSchema()) {
    if (typeof value === 'string') return undefined;
    const result: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const traits = member.getMergedTraits();
      const onWire = traits.ec2QueryName ?? capitalised(String(traits.xmlName ?? name));
      const element = read(member, value[String(onWire)]);
      if (element !== undefined) result[name] = element;
    }
    return result;
  }
  if (schema.isListSchema()) {
    if (typeof value === 'string')
      return value === '' ? [] : [scalarFromText(schema.getValueSchema(), value)];
    return Object.entries(value)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, element]) => read(schema.getValueSchema(), element));
  }
  return typeof value === 'string' ? scalarFromText(schema, value) : undefined;
}

const capitalised = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
