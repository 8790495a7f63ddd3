import { RecordFormatError } from './record-errors';
import type { TextFormat, TextSegment } from './text-record-file';

/** Field names in lower case to the first line of their value, of one stanza of deb-control(5) syntax. */
export type StanzaFields = ReadonlyMap<string, string>;

export interface StanzaFormatOptions {
  readonly codec: string;
  /** The record's key, or undefined when the fields that make it are missing: that is an error. */
  keyOf(fields: StanzaFields): string | undefined;
  compareKeys?(left: string, right: string): number;
}

/** Files of stanzas: `Field: value` lines, continued by lines that start with a blank, parted by empty lines. */
export function stanzaFormat({ codec, keyOf, compareKeys }: StanzaFormatOptions): TextFormat {
  return {
    codec,
    end: '\n\n',
    compareKeys,
    split(text) {
      return splitStanzas(text).map(({ body, end, line }): TextSegment => {
        if (body === '') return { key: undefined, body, end };
        const key = keyOf(parseStanza(body, codec, line));
        if (key === undefined)
          throw new RecordFormatError(codec, 'a stanza without its key fields', { line });
        return { key, body, end };
      });
    },
  };
}

/** @throws RecordFormatError for lines that are no fields, and for fields given twice */
export function parseStanza(body: string, codec: string, firstLine = 1): StanzaFields {
  const fields = new Map<string, string>();
  for (const [index, line] of body.split('\n').entries()) {
    const where = { line: firstLine + index };
    if (line.trim() === '') throw new RecordFormatError(codec, 'a line of blanks only', where);
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (index === 0)
        throw new RecordFormatError(codec, 'a stanza that starts with a continued line', where);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) throw new RecordFormatError(codec, 'a line without a field name', where);
    const name = line.slice(0, colon).toLowerCase();
    if (fields.has(name)) throw new RecordFormatError(codec, `the field ${name} twice in a stanza`, where);
    fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}

/** One pass, no backtracking: the text comes from strangers. */
export function splitStanzas(text: string): { body: string; end: string; line: number }[] {
  const pieces: { body: string; end: string; line: number }[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const blank = text.startsWith('\n', at) ? at : text.indexOf('\n\n', at);
    const bodyEnd = blank < 0 ? (text.endsWith('\n') ? text.length - 1 : text.length) : blank;
    let next = bodyEnd;
    while (text.startsWith('\n', next)) next++;
    const body = text.slice(at, bodyEnd);
    const end = text.slice(bodyEnd, next);
    pieces.push({ body, end, line });
    line += lineCount(body) + end.length;
    at = next;
  }
  return pieces;
}

function lineCount(body: string): number {
  let count = 0;
  for (let at = body.indexOf('\n'); at >= 0; at = body.indexOf('\n', at + 1)) count++;
  return count;
}
