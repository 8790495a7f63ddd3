import type { NormalizedSchema } from '@smithy/core/schema';

/** A value that came as text (query string, header, form) in the type its schema says. */
export function scalarFromText(schema: NormalizedSchema, text: string): unknown {
  if (schema.isNumericSchema()) return Number(text);
  if (schema.isBooleanSchema()) return text === 'true';
  if (schema.isTimestampSchema()) return new Date(/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : text);
  if (schema.isBlobSchema()) return Buffer.from(text, 'base64');
  if (schema.isListSchema())
    return text.split(',').map((part) => scalarFromText(schema.getValueSchema(), part.trim()));
  return text;
}
