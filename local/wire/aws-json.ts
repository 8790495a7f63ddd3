import { JsonCodec } from '@aws-sdk/core/protocols';
import type { Operation } from './operations';
import type { Protocol } from './protocol';
import type { SerdeSettings } from './serde-settings';

/** AWS JSON 1.0 and 1.1: the operation is named by `X-Amz-Target`, the body is the input. */
export function awsJsonProtocol(
  operations: ReadonlyMap<string, Operation>,
  settings: SerdeSettings,
): Protocol {
  const codec = new JsonCodec(settings.json());
  codec.setSerdeContext(settings.context);
  const contentType = `application/x-amz-json-${settings.protocolId.endsWith('1_0') ? '1.0' : '1.1'}`;
  return {
    async parse(request) {
      const operation = operations.get(request.headers['x-amz-target']?.split('.')[1] ?? '');
      if (!operation) return undefined;
      const body = request.body.length > 0 ? request.body.toString() : '{}';
      const input = operation.input.isStructSchema()
        ? ((await codec.createDeserializer().read(operation.input, body)) as Record<string, unknown>)
        : {};
      return { operation, input: present(input) };
    },
    answer({ operation }, output) {
      let body = '{}';
      if (operation.output.isStructSchema()) {
        const serializer = codec.createSerializer();
        serializer.write(operation.output, output);
        body = serializer.flush().toString();
      }
      return { status: 200, headers: { 'content-type': contentType }, body };
    },
    error(error) {
      return {
        status: error.status,
        headers: { 'content-type': contentType, 'x-amzn-errortype': error.name, ...error.headers },
        body: JSON.stringify({ __type: error.name, ...(error.body ?? { message: error.message }) }),
      };
    },
  };
}

/** Members that were not sent are left out, so that `'x' in input` and defaults work. */
export function present(input: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined && value !== null),
  );
}
