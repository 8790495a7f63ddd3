import type { OperationOf } from '../manifest/manifest-schema';

export type Substitution = NonNullable<OperationOf<'put-file'>['substitutions']>[number];

export type RenderedContent =
  | { readonly bytes: Uint8Array; readonly substitutions: Substitution[] }
  /** Why this machine cannot have this content, as one clause. */
  | { readonly problem: string };

/**
 * A content with one machine's own values in the place of the representative's. What is not sure for this machine is a
 * problem, never a guess: a value that it does not have, readings that disagree, a length that the format may count on.
 */
export function renderContent(
  content: Uint8Array,
  substitutions: readonly Substitution[],
  values: ReadonlyMap<string, string>,
): RenderedContent {
  const original = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const isBinary = original.includes(0);
  const pieces: Uint8Array[] = [];
  const placed: Substitution[] = [];
  let at = 0;
  let length = 0;
  for (const substitution of substitutions) {
    const { offsetBytes, lengthBytes, value: name } = substitution;
    const end = offsetBytes + lengthBytes;
    if (offsetBytes < at || end > original.length)
      return { problem: `the place of its ${name} is not in it` };
    const was = original.subarray(offsetBytes, end);
    const text = values.get(name);
    if (text === undefined) return { problem: `this machine has no ${name} of its own to put there` };
    const value = Buffer.from(text, 'latin1');
    if (substitution.fixed === true && !value.equals(was))
      return { problem: `it holds ${was.toString('latin1')}, and the ${name} is another one here` };
    if ((substitution.sameLength === true || isBinary) && value.length !== was.length)
      return { problem: `the ${name} is longer or shorter here, and its format may count on the length` };
    for (const other of substitution.or ?? []) {
      const reading = readingOf(was, offsetBytes, other, values);
      if (reading === undefined || !reading.equals(value))
        return { problem: `it may hold the ${name} or the ${other.value}, which is not the same here` };
    }
    const before = original.subarray(at, offsetBytes);
    pieces.push(before, value);
    length += before.length;
    placed.push(moved(substitution, length, value.length));
    length += value.length;
    at = end;
  }
  pieces.push(original.subarray(at));
  return { bytes: Buffer.concat(pieces), substitutions: placed };
}

/** The same bytes with another point of variation in a part of them. */
function readingOf(
  was: Buffer,
  startBytes: number,
  { offsetBytes, lengthBytes, value }: { offsetBytes: number; lengthBytes: number; value: string },
  values: ReadonlyMap<string, string>,
): Buffer | undefined {
  const from = offsetBytes - startBytes;
  const text = values.get(value);
  if (text === undefined || from < 0 || from + lengthBytes > was.length) return undefined;
  return Buffer.concat([
    was.subarray(0, from),
    Buffer.from(text, 'latin1'),
    was.subarray(from + lengthBytes),
  ]);
}

/** Other readings keep what they are relative to the end or the start: they stand for the same bytes as before. */
function moved(substitution: Substitution, offsetBytes: number, lengthBytes: number): Substitution {
  const shift = offsetBytes - substitution.offsetBytes;
  const growth = lengthBytes - substitution.lengthBytes;
  const or = substitution.or?.map((other) => ({
    ...other,
    offsetBytes: other.offsetBytes + shift,
    lengthBytes: other.lengthBytes + growth,
  }));
  return { ...substitution, offsetBytes, lengthBytes, ...(or && { or }) };
}
