import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { manifestJsonSchema } from '../core/manifest/json-schema';

/** Writes docs/manifest.schema.json from the schema in core. Run it when the schema changes; a test tells when. */
async function main(): Promise<void> {
  const file = path.join(__dirname, '..', 'docs', 'manifest.schema.json');
  const options = await resolveConfig(file);
  const text = await format(JSON.stringify(manifestJsonSchema()), { ...options, parser: 'json' });
  writeFileSync(file, text);
  console.log(`Wrote ${path.relative(process.cwd(), file)}`);
}

void main();
