import { TypeCompiler } from '@sinclair/typebox/compiler';
import { digestOf } from '../chunk-store/digest';
import { checkOperations } from './check-operations';
import { MANIFEST_VERSION, Manifest } from './manifest-schema';
import { ManifestDigestError, ManifestInvalidError, ManifestVersionError } from './manifest-errors';

/** A million operations take about 500 MB; a Lambda has no more to spare. */
const MAX_MANIFEST_BYTES = 512 * 1024 * 1024;

let compiled: ReturnType<typeof TypeCompiler.Compile<typeof Manifest>> | undefined;

/**
 * A stored manifest, checked: it has the digest that the workflow carries, keeps to the schema, and its operations can
 * be performed in their order without leaving the image.
 *
 * @throws ManifestDigestError, ManifestVersionError, ManifestInvalidError
 */
export function parseManifest(bytes: Uint8Array, expectedDigest: string): Manifest {
  if (bytes.length > MAX_MANIFEST_BYTES) throw new ManifestInvalidError(`it has ${bytes.length} bytes`);
  const found = digestOf(bytes);
  if (found !== expectedDigest) throw new ManifestDigestError(expectedDigest, found);
  const value = parseJson(bytes);
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (version !== MANIFEST_VERSION) throw new ManifestVersionError(version, MANIFEST_VERSION);
  compiled ??= TypeCompiler.Compile(Manifest);
  if (!compiled.Check(value)) {
    const first = compiled.Errors(value).First();
    throw new ManifestInvalidError(first?.message ?? 'it does not keep to its schema', first?.path);
  }
  checkOperations(value);
  return value;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ManifestInvalidError('it is not JSON', undefined, { cause });
  }
}
