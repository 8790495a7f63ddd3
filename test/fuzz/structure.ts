import type { MutableImage } from './mutable-image';

/** A piece of metadata: a place where changes lead deep into the code that reads it. */
export interface Structure {
  readonly kind: string;
  readonly offset: number;
  readonly length: number;
  /** Makes the checksums over it right again. */
  readonly seal?: (image: MutableImage) => void;
}

/** Writes the bytes of a structure as `change` leaves a copy of them: only where it changed them, for a find to be small. */
export function rewrite(
  image: MutableImage,
  { offset, length }: Pick<Structure, 'offset' | 'length'>,
  change: (bytes: Uint8Array) => void,
): void {
  const bytes = image.bytes.slice(offset, offset + length);
  change(bytes);
  for (let at = 0; at < bytes.length; at++) {
    const start = at;
    while (at < bytes.length && bytes[at] !== image.bytes[offset + at]) at++;
    if (at > start) image.write(offset + start, bytes.subarray(start, at));
  }
}
