import { Manifest } from './manifest-schema';

/** The published form of the schema, for other programs: docs/manifest.schema.json is this, written by a script. */
export function manifestJsonSchema(): unknown {
  return JSON.parse(JSON.stringify(Manifest));
}
