import { readText } from '../image/follow-links';
import type { Image } from '../image/image';
import type { Manifest, OperationOf } from '../manifest/manifest-schema';
import type { Difference } from '../match/difference';

/** SUB_UID_MIN and SUB_GID_MIN of login.defs(5). */
const FIRST_SUB_ID = 100_000;
const CODECS = new Set(['subuid', 'subgid']);

interface Range {
  readonly first: number;
  readonly count: number;
}

/**
 * New ranges of subuid(5) that useradd would put elsewhere on this machine: it takes the first gap there is (shadow,
 * subordinateio.c), so that they fit machines alone on which it is the same one.
 */
export async function misplacedSubIds({ operations }: Manifest, image: Image): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const operation of operations) {
    if (operation.kind === 'put-record' && CODECS.has(operation.codec) && operation.copyOf === undefined)
      differences.push(...(await misplacedIn(operation, image)));
  }
  return differences;
}

async function misplacedIn(
  { path, records }: OperationOf<'put-record'>,
  image: Image,
): Promise<Difference[]> {
  const lines = ((await readText(image, path)) ?? '').split('\n');
  const known = new Set(lines.map((line) => line.split(':').slice(0, 2).join(':')));
  const ranges = lines.flatMap((line): Range[] => {
    const [, first, count] = line.split(':');
    return /^\d{1,10}$/.test(first ?? '') && /^\d{1,10}$/.test(count ?? '')
      ? [{ first: Number(first), count: Number(count) }]
      : [];
  });
  const differences: Difference[] = [];
  const fresh = records
    .filter(({ key, before }) => before === 'absent' && !known.has(key))
    .map(({ key }) => ({ key, first: Number(key.split(':')[1]) }))
    .sort((a, b) => a.first - b.first);
  for (const { key, first } of fresh) {
    const gap = firstGap(ranges);
    if (gap !== first) {
      const why = 'the range that this account would get here is another one';
      differences.push({ path, record: key, expected: String(first), found: String(gap), why });
    }
    ranges.push({ first, count: USUAL_COUNT });
  }
  return differences;
}

/** SUB_UID_COUNT of login.defs(5). */
const USUAL_COUNT = 65_536;

function firstGap(ranges: readonly Range[]): number {
  let low = FIRST_SUB_ID;
  for (const { first, count } of ranges.toSorted((a, b) => a.first - b.first)) {
    if (first + count <= low) continue;
    if (first - low >= USUAL_COUNT) break;
    low = first + count;
  }
  return low;
}
