import { createHash, randomUUID } from 'node:crypto';

/** The functions that Step Functions adds to JSONata (developer guide, "Transforming data with JSONata"). */
export const EXTRA_FUNCTIONS: Readonly<
  Record<string, { readonly implementation: (...values: never[]) => unknown; readonly signature?: string }>
> = {
  partition: { implementation: partition },
  range: { implementation: range },
  hash: { implementation: hash },
  random: { implementation: random },
  uuid: { implementation: () => randomUUID() },
  parse: { implementation: (text: string) => JSON.parse(text) as unknown },
  eval: {
    implementation: () => {
      throw new Error('$eval is not supported in Step Functions: use $parse.');
    },
  },
};

function partition(values: unknown[] | undefined, size: number): unknown[][] | undefined {
  if (values === undefined) return undefined;
  if (!Array.isArray(values)) throw new Error('$partition takes an array.');
  const step = Math.round(size);
  if (!(step > 0)) throw new Error(`$partition takes a size of 1 or more, not ${size}.`);
  const parts: unknown[][] = [];
  for (let start = 0; start < values.length; start += step) parts.push(values.slice(start, start + step));
  return parts;
}

const MAX_RANGE_ITEMS = 1000;

function range(first: number, last: number, step: number): number[] {
  if (!step) throw new Error('$range takes a step other than 0.');
  const count = Math.floor((last - first) / step) + 1;
  if (count > MAX_RANGE_ITEMS)
    throw new Error(`$range makes at most ${MAX_RANGE_ITEMS} items, not ${count}.`);
  return Array.from({ length: Math.max(0, count) }, (_, index) => first + index * step);
}

const HASHES: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

function hash(data: unknown, algorithm: string): string | undefined {
  if (data === undefined) return undefined;
  const name = HASHES[algorithm];
  if (!name) throw new Error(`$hash knows ${Object.keys(HASHES).join(', ')}, not ${algorithm}.`);
  return createHash(name)
    .update(typeof data === 'string' ? data : JSON.stringify(data))
    .digest('hex');
}

/** A number in [0, 1); the same for the same seed. */
function random(seed?: number): number {
  if (seed === undefined) return Math.random();
  const digest = createHash('sha256').update(String(seed)).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
