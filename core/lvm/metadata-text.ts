import { LvmMetadataError } from './lvm-errors';

/** LVM2's text format: `name = value` and `name { ... }`, as vgcfgbackup(8) writes it and lvm.conf(5) describes it. */
export type MetadataValue = string | number | readonly (string | number)[];

/** Deeper than the groups of any release; a hostile text must not fill the stack. */
const MAX_DEPTH = 8;

const TOKEN = /"([^"\\]*(?:\\[^][^"\\]*)*)"|(-?\d+(?:\.\d+)?)(?![\w.+@-])|([A-Za-z0-9_.+@-]+)|([={}[\],])/y;

/** One `{ ... }` of the text. Asking for something that is missing or of another kind throws LvmMetadataError. */
export class MetadataSection {
  constructor(
    readonly name: string,
    private readonly values: ReadonlyMap<string, MetadataValue | MetadataSection>,
  ) {}

  text(key: string): string {
    const value = this.values.get(key);
    if (typeof value !== 'string') throw this.missing(key, 'text');
    return value;
  }

  /** A whole number from 0 on. */
  count(key: string): number {
    const value = this.values.get(key);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw this.missing(key, 'count');
    return value;
  }

  /** Empty when it is not there. A value alone is a list of one. */
  list(key: string): readonly (string | number)[] {
    const value = this.values.get(key);
    if (value === undefined) return [];
    if (value instanceof MetadataSection) throw this.missing(key, 'list');
    return typeof value === 'object' ? value : [value];
  }

  section(key: string): MetadataSection {
    const value = this.values.get(key);
    if (!(value instanceof MetadataSection)) throw this.missing(key, 'section');
    return value;
  }

  /** The sections in this one, in their order. */
  sections(): MetadataSection[] {
    return [...this.values.values()].filter((value) => value instanceof MetadataSection);
  }

  private missing(key: string, kind: string): LvmMetadataError {
    return new LvmMetadataError('an entry is missing or of the wrong kind', {
      section: this.name,
      key,
      kind,
    });
  }
}

/** @throws LvmMetadataError */
export function parseMetadataText(text: string): MetadataSection {
  return new Parser(text).whole();
}

interface Token {
  readonly kind: 'text' | 'number' | 'name' | 'mark';
  readonly raw: string;
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): MetadataSection {
    return this.section('', 0);
  }

  /** Up to the `}` that ends it, or the end of the text at depth 0. */
  private section(name: string, depth: number): MetadataSection {
    if (depth > MAX_DEPTH) throw this.wrong('sections too deep');
    const values = new Map<string, MetadataValue | MetadataSection>();
    for (;;) {
      const key = this.next();
      if (key === undefined) {
        if (depth > 0) throw this.wrong('a section without an end');
        return new MetadataSection(name, values);
      }
      if (key.raw === '}' && key.kind === 'mark' && depth > 0) return new MetadataSection(name, values);
      if (key.kind !== 'name' && key.kind !== 'number') throw this.wrong('a name was expected');
      if (values.has(key.raw)) throw this.wrong('a name twice');
      const sign = this.next();
      if (isMark(sign, '{')) values.set(key.raw, this.section(key.raw, depth + 1));
      else if (isMark(sign, '=')) values.set(key.raw, this.value());
      else throw this.wrong('neither = nor { after a name');
    }
  }

  private value(): MetadataValue {
    const token = this.next();
    if (isMark(token, '[')) return this.list();
    return this.single(token);
  }

  private list(): (string | number)[] {
    const list: (string | number)[] = [];
    for (let item = this.next(); !isMark(item, ']'); item = this.next()) {
      list.push(this.single(item));
      const after = this.next();
      if (isMark(after, ']')) return list;
      if (!isMark(after, ',')) throw this.wrong('a list without an end');
    }
    return list;
  }

  private single(token: Token | undefined): string | number {
    if (token?.kind === 'number') return Number(token.raw);
    if (token?.kind === 'text') return token.raw.replace(/\\([^])/g, '$1');
    throw this.wrong('a value was expected');
  }

  /** Undefined at the end of the text. */
  private next(): Token | undefined {
    this.skipBlanks();
    if (this.at >= this.text.length) return undefined;
    TOKEN.lastIndex = this.at;
    const found = TOKEN.exec(this.text);
    if (found === null) throw this.wrong('not the text of a volume group');
    this.at = TOKEN.lastIndex;
    const [, text, number, name, mark] = found;
    if (text !== undefined) return { kind: 'text', raw: text };
    if (number !== undefined) return { kind: 'number', raw: number };
    if (name !== undefined) return { kind: 'name', raw: name };
    return { kind: 'mark', raw: mark ?? '' };
  }

  /** Blanks, and comments from # to the end of the line. */
  private skipBlanks(): void {
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]!;
      if (character === '#') {
        const end = this.text.indexOf('\n', this.at);
        if (end < 0) this.at = this.text.length;
        else this.at = end;
      } else if (!' \t\r\n'.includes(character)) return;
    }
  }

  private wrong(what: string): LvmMetadataError {
    return new LvmMetadataError(what, { at: this.at });
  }
}

function isMark(token: Token | undefined, mark: string): boolean {
  return token?.kind === 'mark' && token.raw === mark;
}
