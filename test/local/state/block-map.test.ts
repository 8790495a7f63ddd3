import fc from 'fast-check';
import { BlockMap } from '../../../local/state/block-map';

const maps = fc.dictionary(fc.integer({ min: 0, max: 60 }).map(String), fc.constantFrom('snap-a', 'snap-b'));

function mapOf(entries: Record<string, string>): BlockMap {
  const map = BlockMap.empty();
  for (const [index, writer] of Object.entries(entries)) map.set(Number(index), writer);
  return map;
}

test('runs hold the whole map', () => {
  fc.assert(
    fc.property(maps, (entries) => {
      const map = mapOf(entries);
      const read = BlockMap.fromRuns(map.toRuns());
      expect(read.differences(map)).toEqual([]);
      expect(read.indexes()).toEqual(map.indexes());
    }),
  );
});

test('differences are the blocks that were written by another, or in one of the two alone', () => {
  fc.assert(
    fc.property(maps, maps, (left, right) => {
      const expected = [...Array(61).keys()].filter((index) => left[String(index)] !== right[String(index)]);
      expect(mapOf(left).differences(mapOf(right))).toEqual(expected);
    }),
  );
});

test('neighbours of one writer are one run', () => {
  expect(mapOf({ 1: 'a', 2: 'a', 3: 'b', 5: 'a' }).toRuns()).toEqual([
    [1, 2, 'a'],
    [3, 1, 'b'],
    [5, 1, 'a'],
  ]);
});
