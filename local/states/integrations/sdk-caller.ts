import type { NormalizedSchema } from '@smithy/core/schema';
import { operationsOf } from '../../wire/operations';
import { isJsonObject, type Json, type JsonObject } from '../json';
import { StatesError } from '../states-error';
import type { AwsCaller } from './aws-sdk';

interface SdkClient {
  send(command: object): Promise<Record<string, unknown>>;
}

/** What the caller needs of a client package: its client's class, and through the schemas everything else. */
interface SdkPackage {
  readonly load: () => Promise<object>;
  readonly client: string;
  /** As it stands in the names of errors. */
  readonly prefix: string;
}

/** The services of the embedded cloud, by their names in `aws-sdk:<service>`. */
const PACKAGES: Readonly<Record<string, SdkPackage>> = {
  ebs: { load: () => import('@aws-sdk/client-ebs'), client: 'EBSClient', prefix: 'Ebs' },
  ec2: { load: () => import('@aws-sdk/client-ec2'), client: 'EC2Client', prefix: 'Ec2' },
  lambda: { load: () => import('@aws-sdk/client-lambda'), client: 'LambdaClient', prefix: 'Lambda' },
  s3: { load: () => import('@aws-sdk/client-s3'), client: 'S3Client', prefix: 'S3' },
  sfn: { load: () => import('@aws-sdk/client-sfn'), client: 'SFNClient', prefix: 'Sfn' },
  ssm: { load: () => import('@aws-sdk/client-ssm'), client: 'SSMClient', prefix: 'Ssm' },
};

const capital = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/**
 * Calls AWS actions as Step Functions' SDK integrations do, through the SDK: parameters and results in PascalCase whatever the
 * service writes, dates as ISO text, bytes as text (developer guide, "AWS SDK service integrations").
 * @param configuration of every client: where the endpoint is.
 */
export function sdkCaller(configuration: () => object): AwsCaller {
  const clients = new Map<string, Promise<{ module: Record<string, unknown>; client: SdkClient }>>();
  const clientOf = (service: string, { load, client }: SdkPackage) => {
    const known = clients.get(service);
    if (known) return known;
    const made = load().then((loaded) => {
      const module = loaded as Record<string, unknown>;
      const Client = module[client] as new (configuration: object) => SdkClient;
      return { module, client: new Client(configuration()) };
    });
    clients.set(service, made);
    return made;
  };
  return {
    refusal: (service) => (service in PACKAGES ? undefined : `aws-sdk:${service} is not served here`),
    async call(service, action, parameters) {
      const known = PACKAGES[service];
      if (!known) throw new StatesError('States.Runtime', `aws-sdk:${service} is not served here`);
      const { module, client } = await clientOf(service, known);
      const operation = operationsOf(module).get(capital(action));
      if (!operation) throw new StatesError('States.Runtime', `${service} has no action ${action}`);
      const Command = module[`${operation.name}Command`] as new (input: unknown) => object;
      const input = toSdk(operation.input, isJsonObject(parameters) ? parameters : {});
      try {
        return await fromSdk(operation.output, await client.send(new Command(input)));
      } catch (error) {
        throw failureOf(error, known.prefix, module);
      }
    },
  };
}

/** Every error is named for its service; those that the service's model does not name share one name. */
function failureOf(error: unknown, prefix: string, module: Record<string, unknown>): StatesError {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const modelled = typeof module[name] === 'function';
  const short = modelled ? name.replace(/Exception$/, '') : prefix;
  const status = $metadata?.httpStatusCode;
  return new StatesError(
    `${prefix}.${short}Exception`,
    `${message} (Service: ${prefix}, Status Code: ${status}, Error Code: ${name}) (SDK Attempt Count: 1)`,
  );
}

function toSdk(schema: NormalizedSchema, value: Json): unknown {
  if (schema.isStructSchema()) {
    const given = isJsonObject(value) ? value : {};
    const members = schema.getMemberSchemas();
    const names = new Map(Object.keys(members).map((name) => [capital(name), name]));
    return Object.fromEntries(
      Object.entries(given).map(([name, inner]) => {
        const member = names.get(name);
        if (member === undefined)
          throw new StatesError('States.Runtime', `The field '${name}' is not supported by Step Functions`);
        return [member, toSdk(members[member] as NormalizedSchema, inner)];
      }),
    );
  }
  if (schema.isListSchema() && Array.isArray(value))
    return value.map((item) => toSdk(schema.getValueSchema(), item));
  if (schema.isMapSchema() && isJsonObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, toSdk(schema.getValueSchema(), item)]),
    );
  if (schema.isTimestampSchema()) return new Date(value as string | number);
  if (schema.isBlobSchema()) return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

async function fromSdk(schema: NormalizedSchema, value: unknown): Promise<Json> {
  if (schema.isStructSchema()) {
    const given = (value ?? {}) as Record<string, unknown>;
    const told: JsonObject = {};
    for (const [name, member] of Object.entries(schema.getMemberSchemas()))
      if (given[name] !== undefined) told[capital(name)] = await fromSdk(member, given[name]);
    return told;
  }
  if (schema.isListSchema() && Array.isArray(value))
    return Promise.all(value.map((item) => fromSdk(schema.getValueSchema(), item)));
  if (value instanceof Date) return value.toISOString();
  if (isStream(value)) return value.transformToString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return (value ?? null) as Json;
}

const isStream = (value: unknown): value is { transformToString(): Promise<string> } =>
  typeof value === 'object' && value !== null && 'transformToString' in value;
