/** Code page 437 from 0x80 on: the bytes of short names as Linux reads them unless it is told otherwise. */
const HIGH_HALF =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀' +
  'αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/** Bits that say that a part of the name is shown in lower case. */
const LOWER_BASE = 0x08;
const LOWER_EXTENSION = 0x10;

/** The name of an entry that has no long one: eight bytes and three, as Linux shows it. */
export function shortName(bytes: Uint8Array, caseBits: number): string {
  // 0xe5 marks a deleted entry, so a name that begins with it is written with 0x05.
  const first = bytes[0] === 0x05 ? Uint8Array.of(0xe5, ...bytes.subarray(1, 8)) : bytes.subarray(0, 8);
  const base = part(first, (caseBits & LOWER_BASE) !== 0);
  const extension = part(bytes.subarray(8, 11), (caseBits & LOWER_EXTENSION) !== 0);
  return extension === '' ? base : `${base}.${extension}`;
}

/** The text of a label: eleven bytes without a dot. */
export function labelText(bytes: Uint8Array): string {
  return part(bytes, false);
}

function part(bytes: Uint8Array, isLower: boolean): string {
  const text = [...bytes]
    .map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : HIGH_HALF[byte - 0x80]!))
    .join('')
    .replace(/ +$/, '');
  return isLower ? text.toLowerCase() : text;
}

/** Stands in every part of a long name, so that one that belongs to another entry is told from its own. */
export function shortNameChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes.subarray(0, 11)) sum = (((sum & 1) << 7) + (sum >>> 1) + byte) & 0xff;
  return sum;
}
