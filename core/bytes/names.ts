/**
 * Names on a Linux filesystem are bytes. Nearly all are UTF-8; those that are not must survive a round trip through
 * strings. As in Python's surrogateescape (PEP 383), a byte b that is not part of valid UTF-8 becomes the lone
 * surrogate U+DC00+b, which valid UTF-8 never yields.
 */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

const ESCAPE_BASE = 0xdc00;

/** Up to here, putting characters together takes less time than asking for the text of bytes; then asking takes a third. */
const SHORT_NAME_BYTES = 32;

export function decodeName(bytes: Uint8Array): string {
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! >= 0x80) return decodeWide(bytes);
  if (bytes.length > SHORT_NAME_BYTES)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  let ascii = '';
  for (let at = 0; at < bytes.length; at++) ascii += String.fromCharCode(bytes[at]!);
  return ascii;
}

/** Bytes of a name made by `decodeName`. A lone surrogate outside U+DC80..U+DCFF is no name of any file. */
export function encodeName(name: string): Uint8Array {
  const ascii = encodeAscii(name);
  if (ascii !== undefined) return ascii;
  if (!hasEscape(name)) return utf8.encode(name);
  const bytes: number[] = [];
  for (const character of name) {
    const code = character.codePointAt(0)!;
    if (code >= ESCAPE_BASE + 0x80 && code <= ESCAPE_BASE + 0xff) bytes.push(code - ESCAPE_BASE);
    else bytes.push(...utf8.encode(character));
  }
  return Uint8Array.from(bytes);
}

/** Undefined when the name is not ASCII. Names are short: asking TextEncoder would take longer. */
function encodeAscii(name: string): Uint8Array | undefined {
  const bytes = new Uint8Array(name.length);
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (code >= 0x80) return undefined;
    bytes[at] = code;
  }
  return bytes;
}

function hasEscape(name: string): boolean {
  return !name.isWellFormed();
}

function decodeWide(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(ESCAPE_BASE + bytes[at]!);
      at += 1;
    } else {
      text +=
        length === 1 ? String.fromCharCode(bytes[at]!) : strictUtf8.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, or 0 when there is none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const second = bytes[at + 1] ?? 0;
  if (lead >= 0xc2 && lead <= 0xdf) return isTail(second) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80;
    const high = lead === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && isTail(bytes[at + 2]) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const low = lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && isTail(bytes[at + 2]) && isTail(bytes[at + 3]) ? 4 : 0;
  }
  return 0;
}

function isTail(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80 && byte <= 0xbf;
}
