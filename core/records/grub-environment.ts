import type { RecordChanges, RecordCodec, RecordFile } from './record-codec';
import { RecordFormatError } from './record-errors';

const CODEC = 'grub-environment';
const SIGNATURE = '# GRUB Environment Block\n';
/** grub-editenv(1) makes blocks of this size; boot loaders write into them without changing it. */
const BLOCK_BYTES = 1024;
const LARGEST_BLOCK_BYTES = 64 * 1024;
const WARNING = /^# WARNING: [^\n]*\n/;

/**
 * The block in which GRUB keeps variables over a boot (GRUB manual, "The GRUB environment block"): a signature, lines of
 * `name=value` in which a backslash stands before a backslash or a line end, and `#` up to the end of the block.
 */
export const grubEnvironmentCodec: RecordCodec = {
  name: CODEC,
  matches: (path) => /^\/boot\/(grub2?|efi\/EFI\/[^/]+)\/grubenv$/.test(path),
  parse(bytes) {
    if (bytes.length === 0) return new GrubEnvironment(SIGNATURE, new Map(), 0);
    if (bytes.length > LARGEST_BLOCK_BYTES) throw new RecordFormatError(CODEC, 'too many bytes');
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    if (!text.startsWith(SIGNATURE)) throw new RecordFormatError(CODEC, 'no signature');
    const warning = WARNING.exec(text.slice(SIGNATURE.length))?.[0] ?? '';
    const head = SIGNATURE + warning;
    const file = new GrubEnvironment(head, variablesOf(text.slice(head.length)), bytes.length);
    if (!Buffer.from(file.merge(new Map())).equals(bytes))
      throw new RecordFormatError(CODEC, 'not as grub-editenv writes it');
    return file;
  },
};

class GrubEnvironment implements RecordFile {
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly remainder: Uint8Array;

  constructor(
    private readonly head: string,
    private readonly variables: ReadonlyMap<string, string>,
    /** Nothing, of an empty file. */
    private readonly sizeBytes: number,
  ) {
    this.remainder = new Uint8Array();
    this.records = new Map([...variables].map(([name, value]) => [name, Buffer.from(value, 'latin1')]));
  }

  merge(changes: RecordChanges): Uint8Array {
    const merged = new Map(this.variables);
    for (const [name, bytes] of changes) {
      if (bytes === undefined) merged.delete(name);
      else merged.set(name, valueOf(name, bytes));
    }
    if (this.sizeBytes === 0 && merged.size === 0) return new Uint8Array();
    const sizeBytes = this.sizeBytes || BLOCK_BYTES;
    const lines = [...merged].map(([name, value]) => `${name}=${value}\n`).join('');
    const text = this.head + lines;
    if (text.length > sizeBytes) throw new RecordFormatError(CODEC, 'more than the block can hold');
    return Buffer.from(text.padEnd(sizeBytes, '#'), 'latin1');
  }
}

function valueOf(name: string, bytes: Uint8Array): string {
  const value = Buffer.from(bytes).toString('latin1');
  const only = variablesOf(`${name}=${value}\n`);
  if (only.size !== 1 || only.get(name) !== value)
    throw new RecordFormatError(CODEC, 'what is put is not one variable', { key: name });
  return value;
}

/** Values as they stand in the block, escapes and all. */
function variablesOf(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  const line = /([^=\n#\\][^=\n]*)=((?:[^\\\n]|\\[^])*)\n/y;
  let at = 0;
  for (;;) {
    line.lastIndex = at;
    const [whole, name, value] = line.exec(text) ?? [];
    if (whole === undefined) break;
    if (variables.has(name!)) throw new RecordFormatError(CODEC, 'a variable twice', { key: name });
    variables.set(name!, value!);
    at += whole.length;
  }
  if (/[^#]/.test(text.slice(at))) throw new RecordFormatError(CODEC, 'a line of another kind');
  return variables;
}
