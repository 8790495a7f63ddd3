import type { JsonCodec, XmlCodec } from '@aws-sdk/core/protocols';

/** Numbers of `@smithy/types` SCHEMA timestamp formats. */
const DATE_TIME = 5;
const EPOCH_SECONDS = 7;

interface SdkClient {
  readonly config: { readonly protocol: { getShapeId(): string } };
}
type SdkClientClass = new (config: object) => SdkClient;

/** What the SDK's codecs need to know of a service; taken from the service's own client, so nothing is modelled twice. */
export interface SerdeSettings {
  /** Smithy shape id of the protocol the client speaks, such as `aws.protocols#restJson1`. */
  readonly protocolId: string;
  readonly context: Parameters<JsonCodec['setSerdeContext']>[0];
  json(): ConstructorParameters<typeof JsonCodec>[0];
  xml(namespace: string): ConstructorParameters<typeof XmlCodec>[0];
}

const known = new WeakMap<object, SerdeSettings>();

/** @throws Error when the module exports no SDK v3 client. */
export function serdeSettingsOf(sdkModule: object): SerdeSettings {
  const read = known.get(sdkModule) ?? readSettings(sdkModule);
  known.set(sdkModule, read);
  return read;
}

function readSettings(sdkModule: object): SerdeSettings {
  // The module also re-exports the base class, as `__Client`.
  const found = Object.entries(sdkModule).find(
    ([name, value]) => /^[A-Z]\w+Client$/.test(name) && typeof value === 'function',
  );
  if (!found)
    throw new Error('This module exports no SDK client: pass the namespace of an @aws-sdk/client-* package.');
  const Client = found[1] as SdkClientClass;
  const { config } = new Client({
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return {
    protocolId: config.protocol.getShapeId(),
    context: config as unknown as SerdeSettings['context'],
    json: () => ({
      timestampFormat: { useTrait: true, default: EPOCH_SECONDS },
      jsonName: true,
      httpBindings: true,
    }),
    xml: (namespace) => ({
      xmlNamespace: namespace,
      serviceNamespace: namespace,
      timestampFormat: { useTrait: true, default: DATE_TIME },
      httpBindings: true,
    }),
  };
}
