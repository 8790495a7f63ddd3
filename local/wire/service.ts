import { randomUUID } from 'node:crypto';
import { AwsError, NoAnswer } from './aws-error';
import { awsJsonProtocol } from './aws-json';
import { ec2QueryProtocol } from './ec2-query';
import { operationsOf } from './operations';
import type { Protocol } from './protocol';
import { restJsonProtocol, type ExplicitNulls } from './rest';
import { s3Protocol } from './s3-addressing';
import { serdeSettingsOf } from './serde-settings';
import type { AroundCall, Handler, HandlerContext, WireService } from './wire';

export interface ServiceOptions {
  /** Runs around every call: log, throttle, break. */
  around?: AroundCall;
  /**
   * restJson only: absent members are sent as null, keys in alphabetical order (EBS direct). `unmodelled` names, by output
   * schema, members that are sent though the model does not have them.
   */
  explicitNulls?: ExplicitNulls;
}

/**
 * A service that speaks the wire protocol of an SDK v3 client package, driven by the operation schemas that the package
 * exports. Handlers are named as the operations and take and return what the SDK's commands do.
 *
 * An operation the SDK does not know answers 400 UnknownOperationException, a known one without a handler 501
 * NotImplemented; an error that is not an AwsError answers 500 InternalFailure.
 */
export function createService(
  sdkModule: object,
  handlers: Record<string, Handler>,
  options: ServiceOptions = {},
): WireService {
  const operations = operationsOf(sdkModule);
  const settings = serdeSettingsOf(sdkModule);
  const unknown = Object.keys(handlers).filter((name) => !operations.has(name));
  if (unknown.length > 0) throw new Error(`The service has no such operation: ${unknown.join(', ')}`);
  const protocol = protocolFor(settings.protocolId, operations, settings, options);
  const around: AroundCall = options.around ?? ((_call, next) => next());

  return async (request) => {
    const requestId = randomUUID();
    const ids = { 'x-amzn-requestid': requestId, 'x-amz-request-id': requestId };
    try {
      const call = await protocol.parse(request);
      if (!call) throw new AwsError('UnknownOperationException', `${request.method} ${request.path}`);
      const handler = handlers[call.operation.name] as
        ((input: object, context: HandlerContext) => unknown) | undefined;
      if (!handler) throw new AwsError('NotImplemented', `${call.operation.name} is not emulated here`, 501);
      const output = await around({ operation: call.operation.name, input: call.input }, async () =>
        handler(call.input, { headers: request.headers }),
      );
      const answer = protocol.answer(call, (output ?? {}) as Record<string, unknown>, requestId);
      return { ...answer, headers: { ...ids, ...answer.headers } };
    } catch (error) {
      if (error instanceof NoAnswer) throw error;
      const answer = protocol.error(asAwsError(error), request, requestId);
      return { ...answer, headers: { ...ids, ...answer.headers } };
    }
  };
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new AwsError('InternalFailure', text, 500);
}

function protocolFor(
  id: string,
  operations: ReturnType<typeof operationsOf>,
  settings: ReturnType<typeof serdeSettingsOf>,
  options: ServiceOptions,
): Protocol {
  if (id.endsWith('ec2Query')) return ec2QueryProtocol(operations, settings);
  if (id.includes('awsJson')) return awsJsonProtocol(operations, settings);
  if (id.endsWith('restJson1')) return restJsonProtocol(operations, settings, options);
  if (id.endsWith('restXml')) return s3Protocol(operations, settings);
  throw new Error(`The client speaks ${id}, which this server does not.`);
}
